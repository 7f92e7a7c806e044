import t from 'tap'
import { harness } from '#test/harness.ts'
import { eventually, tally } from '#test/persistence.ts'
import { newSecret } from '../secret.ts'

const minute = 60_000
let skew = 0
const now = () => new Date(Date.now() + skew)
const { as, tenant, db } = await harness(t, { clock: { now } })
const admin = as(tenant.key)

async function key(more: object = {}): Promise<{ id: string; secret: string }> {
  return (await admin.post('/v1/api-keys', { name: 'shop', scopes: ['orders:read'], ...more })).body.data
}
const from = (secret: string, remoteAddress: string) =>
  as(secret).send({ method: 'GET', url: '/v1/orders', remoteAddress })
const lastUsedAt = async (id: string): Promise<string | null> =>
  (await admin.get(`/v1/api-keys/${id}`)).body.data.lastUsedAt

t.test('knows no key that was never issued, and says the same of all that it refuses', async (t) => {
  const { id, secret } = await key()
  await admin.post(`/v1/api-keys/${id}/revoke`)
  const details = []
  for (const presented of [newSecret('live').secret, `${secret.slice(0, -1)}!`, 'nonsense', secret]) {
    const answer = await as(presented).get('/v1/orders')
    t.same(tally([answer]), { '401 UNAUTHORIZED': 1 })
    t.match(answer.headers['www-authenticate'], /^Bearer/)
    details.push(answer.body.detail)
  }
  t.equal(new Set(details).size, 1)
})

t.test('refuses a key from the moment it expires, though it was used a moment ago', async (t) => {
  const { secret, id } = await key({ expiresAt: new Date(now().getTime() + minute).toISOString() })
  t.equal((await as(secret).get('/v1/orders')).status, 200)
  skew += minute
  t.same(tally([await as(secret).get('/v1/orders')]), { '401 UNAUTHORIZED': 1 })
  t.equal((await admin.get(`/v1/api-keys/${id}`)).body.data.status, 'expired')
})

t.test('takes a key only from its address ranges', async (t) => {
  const { secret } = await key({ allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'] })
  for (const [address, status] of [
    ['203.0.113.9', 200],
    ['198.51.100.1', 401],
    ['2001:db8::5', 200],
    ['2001:db9::5', 401],
    ['::ffff:203.0.113.9', 200],
    ['::ffff:198.51.100.1', 401],
    ['203.0.113.9', 200],
  ] as const)
    t.equal((await from(secret, address)).status, status, address)
})

t.test('does not believe an X-Forwarded-For that no trusted proxy wrote', async (t) => {
  const { secret } = await key({ allowedCidrs: ['203.0.113.0/24'] })
  const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' }
  t.same(tally([await as(secret).get('/v1/orders', headers)]), { '401 UNAUTHORIZED': 1 })
})

t.test('remembers the last use, to the minute', async (t) => {
  const { id, secret } = await key()
  t.equal(await lastUsedAt(id), null)
  await as(secret).get('/v1/orders')
  const first = await eventually('a first use', () => lastUsedAt(id))
  t.ok(Math.abs(Date.parse(first) - now().getTime()) < minute)
  skew += minute / 2
  await as(secret).get('/v1/orders')
  skew += minute / 2 + 1
  await as(secret).get('/v1/orders')
  const second = await eventually('a second use', async () => {
    const used = await lastUsedAt(id)
    return used !== first && used
  })
  t.ok(Date.parse(second) - Date.parse(first) > minute, 'half a minute later was not written')
  const { rows } = await db.query('select version, updated_at = created_at as untouched from api_keys where id = $1', [
    id,
  ])
  t.same(rows, [{ version: 1, untouched: true }], 'using a key changes no version')
})

t.test('does not count as use what was refused', async (t) => {
  const { id, secret } = await key({ allowedCidrs: ['203.0.113.0/24'] })
  await from(secret, '198.51.100.1')
  const revoked = await key()
  await admin.post(`/v1/api-keys/${revoked.id}/revoke`)
  await as(revoked.secret).get('/v1/orders')
  // A use that counts, made last: once it shows, the refused ones would show as well.
  const witness = await key()
  await as(witness.secret).get('/v1/orders')
  await eventually('the witness was used', () => lastUsedAt(witness.id))
  t.equal(await lastUsedAt(id), null)
  t.equal(await lastUsedAt(revoked.id), null)
  t.equal((await from(secret, '203.0.113.9')).status, 200)
  await eventually('a use from the right address', () => lastUsedAt(id))
})
