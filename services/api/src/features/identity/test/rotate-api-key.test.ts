import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { refusalOf, tally } from '#test/persistence.ts'

let skew = 0
const hour = 3_600_000
const now = () => new Date(Date.now() + skew)
const { as, tenant, otherTenant, db } = await harness(t, { clock: { now } })
const admin = as(tenant.key)

async function key(more: object = {}): Promise<{ id: string; secret: string; principalId: string }> {
  const { body } = await admin.post('/v1/api-keys', { name: 'shop', scopes: ['orders:read'], ...more })
  return body.data
}
const rotate = (id: string, body: object = {}, headers = {}) => admin.post(`/v1/api-keys/${id}/rotate`, body, headers)
const worksWith = async (secret: string) => (await as(secret).get('/v1/orders')).status === 200

t.test('issues a new secret that works at once, while the old one works until the overlap ends', async (t) => {
  const old = await key()
  t.ok(await worksWith(old.secret))
  const { status, body, headers } = await rotate(old.id, { overlapSeconds: 7_200 })
  t.equal(status, 201)
  t.match(headers.location, new RegExp(`/v1/api-keys/${body.data.id}$`))
  t.not(body.data.id, old.id)
  t.not(body.data.secret, old.secret)
  t.ok(await worksWith(body.data.secret), 'the new one at once')
  t.ok(await worksWith(old.secret), 'the old one still')
  skew += 2 * hour - 60_000
  t.ok(await worksWith(old.secret), 'shortly before the end')
  skew += 60_001
  t.notOk(await worksWith(old.secret), 'no more after it')
  t.ok(await worksWith(body.data.secret))
  const after = (await admin.get(`/v1/api-keys/${old.id}`)).body.data
  t.match(after, { status: 'expired', version: 2, revokedAt: null })
})

t.test('overlaps by an hour unless told otherwise', async (t) => {
  const old = await key()
  await rotate(old.id)
  const { expiresAt, updatedAt } = (await admin.get(`/v1/api-keys/${old.id}`)).body.data
  t.equal(Date.parse(expiresAt) - Date.parse(updatedAt), hour)
})

t.test('without overlap the old secret stops at once', async (t) => {
  const old = await key()
  t.ok(await worksWith(old.secret))
  const { body } = await rotate(old.id, { overlapSeconds: 0 })
  t.notOk(await worksWith(old.secret))
  t.ok(await worksWith(body.data.secret))
})

t.test('carries everything over to the new key', async (t) => {
  const facts = {
    name: 'limited',
    mode: 'test',
    scopes: ['orders:read', 'stock:read'],
    rateLimitPerMinute: 77,
    allowedCidrs: ['127.0.0.0/8'],
    expiresAt: new Date(now().getTime() + 24 * hour).toISOString(),
    metadata: { owner: 'ada' },
  }
  const old = await key(facts)
  const { body } = await rotate(old.id)
  t.match(body.data, { ...facts, principalId: old.principalId, version: 1, status: 'active' })
  t.match(body.data.secret, /^sk_test_/)
})

t.test('never lets a key live longer than it would have', async (t) => {
  const expiresAt = new Date(now().getTime() + hour / 2).toISOString()
  const old = await key({ expiresAt })
  const { body } = await rotate(old.id, { overlapSeconds: 604_800 })
  t.equal(body.data.expiresAt, expiresAt)
  t.equal((await admin.get(`/v1/api-keys/${old.id}`)).body.data.expiresAt, expiresAt)
})

t.test('leaves an entry for either key in the ledger', async (t) => {
  const old = await key()
  const { body } = await rotate(old.id)
  const { rows } = await db.query(
    'select type, resource_id, resource_version, changed from ledger where resource_id = any($1) order by occurred_at, type',
    [[old.id, body.data.id]],
  )
  t.same(rows, [
    { type: 'apiKey.created', resource_id: old.id, resource_version: 1, changed: [] },
    { type: 'apiKey.created', resource_id: body.data.id, resource_version: 1, changed: [] },
    { type: 'apiKey.rotated', resource_id: old.id, resource_version: 2, changed: ['expiresAt'] },
  ])
})

t.test('refuses a key that was revoked or has expired', async (t) => {
  const revoked = await key()
  await admin.post(`/v1/api-keys/${revoked.id}/revoke`)
  t.same(tally([await rotate(revoked.id)]), { '409 API_KEY_REVOKED': 1 })
  const expired = await key({ expiresAt: new Date(now().getTime() + hour).toISOString() })
  skew += hour
  t.same(tally([await rotate(expired.id)]), { '409 API_KEY_REVOKED': 1 })
})

t.test('refuses overlaps out of range', async (t) => {
  const old = await key()
  for (const overlapSeconds of [-1, 604_801, 1.5, null])
    t.same(tally([await rotate(old.id, { overlapSeconds })]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is no way to more scopes: a weaker key cannot rotate a stronger one', async (t) => {
  const strong = await key({ scopes: ['orders:read', 'orders:write'] })
  const weak = as(await tenant.keyWith(['apiKeys:write', 'orders:read']))
  const answer = await weak.post(`/v1/api-keys/${strong.id}/rotate`, {})
  t.same(tally([answer]), { '403 SCOPE_NOT_HELD': 1 })
  t.ok(await worksWith(strong.secret), 'and the stronger one is untouched')
  t.match((await admin.get(`/v1/api-keys/${strong.id}`)).body.data, { version: 1, expiresAt: null })
  const equal = await key()
  t.equal((await weak.post(`/v1/api-keys/${equal.id}/rotate`, {})).status, 201)
})

t.test('is for holders of apiKeys:write; the own key included', async (t) => {
  const own = await key({ scopes: ['apiKeys:write'] })
  t.equal((await as(own.secret).post(`/v1/api-keys/${own.id}/rotate`, {})).status, 201)
  const reader = await key({ scopes: ['apiKeys:read'] })
  t.same(tally([await as(reader.secret).post(`/v1/api-keys/${reader.id}/rotate`, {})]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's key as for an absent one, and leaves it", async (t) => {
  const stranger = await otherTenant()
  const foreign = await rotate(stranger.keyId, { overlapSeconds: 0 })
  t.equal(foreign.status, 404)
  t.same(refusalOf(foreign), refusalOf(await rotate(newId('key'), { overlapSeconds: 0 })))
  t.ok(await worksWith(stranger.key))
})

t.test('answers a retry with the same new secret and issues no second one', async (t) => {
  const old = await key()
  const header = { 'idempotency-key': randomUUID() }
  const first = await rotate(old.id, {}, header)
  const retry = await rotate(old.id, {}, header)
  t.equal(retry.data, first.data)
  const { rows } = await db.query('select count(*)::int from api_keys where principal_id = $1', [old.principalId])
  t.same(rows, [{ count: 2 }])
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
