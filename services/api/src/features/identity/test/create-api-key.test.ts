import { hash, randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { scopes } from '#platform/scopes.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const admin = as(tenant.key)
const create = (body: object, headers = {}) => admin.post('/v1/api-keys', body, headers)
const shop = { name: 'Web shop', scopes: ['orders:read', 'orders:write'] }

/** Names of the tables in which a text stands anywhere. */
async function tablesHolding(text: string): Promise<string[]> {
  const { rows } = await db.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss')`,
  )
  const found = rows.map(async ({ name }) => {
    const { rowCount } = await db.query(`select from ${name} r where strpos(r::text, $1) > 0 limit 1`, [text])
    return rowCount ? [String(name)] : []
  })
  return (await Promise.all(found)).flat().sort()
}

t.test('creates a key and shows its secret this once', async (t) => {
  const { status, body, headers } = await create(shop)
  t.equal(status, 201)
  const { data } = body
  t.match(data.secret, /^sk_live_[0-9A-Za-z]{46}$/)
  t.strictSame(data, {
    id: data.id,
    principalId: data.principalId,
    name: 'Web shop',
    mode: 'live',
    hint: `sk_live_…${data.secret.slice(-4)}`,
    scopes: shop.scopes,
    rateLimitPerMinute: null,
    allowedCidrs: [],
    allowedSources: [],
    status: 'active',
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    metadata: {},
    version: 1,
    createdAt: data.createdAt,
    updatedAt: data.createdAt,
    secret: data.secret,
  })
  t.match(headers.location, new RegExp(`/v1/api-keys/${data.id}$`))
  const { secret: _secret, ...shown } = data
  t.strictSame((await admin.get(`/v1/api-keys/${data.id}`)).body.data, shown)
  t.equal((await as(data.secret).get('/v1/orders')).status, 200)
})

t.test('keeps everything it is given', async (t) => {
  const given = {
    ...shop,
    mode: 'test',
    rateLimitPerMinute: 50,
    allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'],
    expiresAt: '2099-01-01T00:00:00.000Z',
    metadata: { owner: 'ada' },
  }
  const { body } = await create(given)
  for (const [name, value] of Object.entries(given)) t.strictSame(body.data[name], value, name)
  t.match(body.data.secret, /^sk_test_/)
})

t.test('stores the hash of the secret, never the secret, also under an Idempotency-Key', async (t) => {
  const key = { 'idempotency-key': randomUUID() }
  const { body } = await create(shop, key)
  const { secret, id } = body.data
  t.same(await tablesHolding(secret), [])
  t.same(await tablesHolding(secret.slice(8)), [])
  t.same(await tablesHolding(hash('sha256', secret, 'hex')), ['public.api_keys'])
  t.ok((await tablesHolding(id)).includes('public.ledger'), 'the search finds what is there')
  const { rows } = await db.query('select data from ledger where resource_id = $1', [id])
  t.equal(rows.length, 1)
  t.notOk('secret' in rows[0].data)
})

t.test('answers a retry with the same secret', async (t) => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await create(shop, key)
  const retry = await create(shop, key)
  t.equal(retry.status, 201)
  t.equal(retry.headers['idempotency-replayed'], 'true')
  t.equal(retry.data, first.data)
  t.equal(retry.headers.etag, first.headers.etag)
})

t.test('gives no scope that the calling key lacks', async (t) => {
  const issuer = as(await tenant.keyWith(['apiKeys:write', 'orders:read']))
  const own = await issuer.post('/v1/api-keys', { name: 'own', scopes: ['orders:read'] })
  t.equal(own.status, 201)
  const more = await issuer.post('/v1/api-keys', {
    name: 'more',
    scopes: ['orders:read', 'orders:write', 'stock:read'],
  })
  t.same(tally([more]), { '403 SCOPE_NOT_HELD': 1 })
  t.equal(more.body.detail, 'The calling key lacks orders:write, stock:read')
  t.equal((await create({ name: 'all', scopes })).status, 201, 'who has all may give all')
})

t.test('refuses ranges that are none, naming the entry', async (t) => {
  const answer = await create({ ...shop, allowedCidrs: ['10.0.0.0/8', '10.0.0.0/33'] })
  t.same(tally([answer]), { '422 INVALID_CIDR': 1 })
  t.match(answer.body.errors, [{ field: 'allowedCidrs[1]', pointer: '/allowedCidrs/1' }])
})

t.test('refuses an end that is over', async (t) => {
  const past = new Date(Date.now() - 1_000).toISOString()
  t.same(tally([await create({ ...shop, expiresAt: past })]), { '422 INVALID_EXPIRY': 1 })
})

t.test('refuses what does not match the schema', async (t) => {
  const faults = [
    { name: '' },
    { scopes: [] },
    { scopes: ['orders:read', 'orders:read'] },
    { scopes: ['orders:everything'] },
    { mode: 'demo' },
    { rateLimitPerMinute: 0 },
    { expiresAt: 'tomorrow' },
    { expiresAt: null },
    { secret: 'sk_live_mine' },
    { principalId: 'usr_01jd0000000000000000000000' },
  ]
  for (const fault of faults)
    t.same(tally([await create({ ...shop, ...fault })]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(fault))
})

t.test('lists keys without secrets, newest first, page by page', async (t) => {
  const { status, body, text } = await admin.get('/v1/api-keys?limit=100')
  t.equal(status, 200)
  const ids = body.data.map(({ id }: { id: string }) => id)
  t.same(ids, ids.toSorted().toReversed())
  t.notMatch(text, /sk_(live|test)_[0-9A-Za-z]/)
  t.notMatch(text, /hash/i)
  const first = await admin.get('/v1/api-keys?limit=2')
  const second = await admin.get(`/v1/api-keys?limit=2&after=${first.body.meta.page.nextCursor}`)
  t.same(
    [...first.body.data, ...second.body.data].map(({ id }) => id),
    ids.slice(0, 4),
  )
  const back = await admin.get(`/v1/api-keys?limit=2&before=${second.body.meta.page.previousCursor}`)
  t.same(back.body.data, first.body.data)
})

t.test('is for holders of apiKeys:write and apiKeys:read', async (t) => {
  const reader = as(await tenant.keyWith(['apiKeys:read', 'organization:write']))
  const writer = as(await tenant.keyWith(['apiKeys:write', 'organization:read']))
  t.same(tally([await reader.post('/v1/api-keys', shop)]), { '403 FORBIDDEN': 1 })
  t.same(tally([await writer.get('/v1/api-keys')]), { '403 FORBIDDEN': 1 })
  t.same(tally([await writer.get(`/v1/api-keys/${tenant.keyId}`)]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's key as for an absent one", async (t) => {
  const stranger = await otherTenant()
  const foreign = await admin.get(`/v1/api-keys/${stranger.keyId}`)
  t.equal(foreign.status, 404)
  t.same(refusalOf(foreign), refusalOf(await admin.get(`/v1/api-keys/${newId('key')}`)))
  const theirs = await as(stranger.key).get('/v1/api-keys')
  t.same(
    theirs.body.data.map(({ id }: { id: string }) => id),
    [stranger.keyId],
  )
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
