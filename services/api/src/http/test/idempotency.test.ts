import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t, { env: { AUTHENTICATION_CACHE_TTL_MS: '0' } })
await h.tenant.stock([
  { sku: 'MUG', onHand: 1_000 },
  { sku: 'RARE', onHand: 0 },
])
const client = h.as(h.tenant.key)
const order = (sku = 'MUG', quantity = 1) => ({ paymentTerms: 'onAccount', lines: [{ sku, quantity }] })
const place = (key: string, body: unknown = order(), as = client) =>
  as.post('/v1/orders', body, { 'idempotency-key': key })
const count = async (table: string) => (await h.db.query(`select count(*)::int as n from ${table}`)).rows[0].n

t.test('a command that moves stock or money needs a key, others take one', async (t) => {
  const level = `/v1/stock/MUG/${h.tenant.locationId}`
  const cases = [
    ['/v1/orders', order()],
    [`${level}/adjust`, { change: 1 }],
    ['/v1/stock/batch', { levels: [{ sku: 'MUG', locationId: h.tenant.locationId, onHand: 1_000 }] }],
  ] as const
  for (const [url, body] of cases) {
    const answer = await client.post(url, body, { 'idempotency-key': '' })
    t.match(answer, { status: 400, body: { error: { code: 'IDEMPOTENCY_KEY_REQUIRED' } } }, url)
  }
  t.equal((await client.post('/v1/locations', { name: 'B' }, { 'idempotency-key': '' })).status, 201)
})

t.test('a key is 1 to 255 printable ASCII characters, bare or as a structured-field string', async (t) => {
  const refused = ['ä', 'a\tb', '""', 'x'.repeat(256), `"${'x'.repeat(256)}"`, '" "', '\u0080', 'a\u007f']
  for (const key of refused)
    t.match(await place(key), { status: 400, body: { error: { code: 'MALFORMED_REQUEST' } } }, key.slice(0, 20))
  t.match(await client.post('/v1/locations', { name: 'C' }, { 'idempotency-key': 'x'.repeat(256) }), { status: 400 })
  for (const key of ['a', 'x'.repeat(255), `"${'y'.repeat(255)}"`, 'a b,c;d', '"a\\"b\\\\c"', '~!@#$%^&*()'])
    t.match(await place(key), { status: 201 }, key.slice(0, 20))
  const bare = await place('the-same')
  const quoted = await place('"the-same"')
  t.equal(quoted.headers['idempotency-replayed'], 'true')
  t.equal(quoted.body.data.id, bare.body.data.id)
  t.equal((await place('a"b\\c')).headers['idempotency-replayed'], 'true', 'escapes are resolved')
})

t.test('a retry gets the same answer and has no effect', async (t) => {
  const first = await place('retry')
  await client.post(`/v1/orders/${first.body.data.id}/cancel`, {})
  const moved = [await count('orders'), await count('ledger'), await count('stock_movements')]
  const again = await place('retry')
  t.equal(again.status, 201)
  t.equal(again.data, first.data, 'the bytes of data, though the order has changed since')
  t.equal(again.headers.etag, first.headers.etag)
  t.equal(again.headers.location, first.headers.location)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(first.headers['idempotency-replayed'], undefined)
  t.not(again.body.meta.requestId, first.body.meta.requestId)
  t.equal(again.body.meta.requestId, again.headers['x-request-id'])
  t.same([await count('orders'), await count('ledger'), await count('stock_movements')], moved)
})

t.test('the same request in another spelling is the same request', async (t) => {
  const spellings = [
    '{"paymentTerms":"onAccount","lines":[{"sku":"MUG","quantity":1}]}',
    ' { "lines" : [ { "quantity" : 1.0 , "sku" : "M\\u0055G" } ] , "paymentTerms" : "onAccount" } ',
  ]
  const answers = []
  for (const payload of spellings) {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'spelling' }
    answers.push(await client.send({ method: 'POST', url: '/v1/orders', headers, payload }))
  }
  t.same(
    answers.map(({ status }) => status),
    [201, 201],
  )
  t.equal(answers[0]?.data, answers[1]?.data)
})

t.test('a key that was used for another request is refused', async (t) => {
  const { id } = (await place('taken')).body.data
  const headers = { 'idempotency-key': 'taken' }
  const reused = [
    () => place('taken', order('MUG', 2)),
    () => place('taken', { ...order(), notes: '' }),
    () => client.post(`/v1/orders/${id}/cancel`, {}, headers),
  ]
  for (const send of reused) t.match(await send(), { status: 422, body: { error: { code: 'IDEMPOTENCY_KEY_REUSED' } } })
  const { id: other } = (await place('another')).body.data
  await client.post(`/v1/orders/${id}/cancel`, {}, { 'idempotency-key': 'path' })
  const elsewhere = await client.post(`/v1/orders/${other}/cancel`, {}, { 'idempotency-key': 'path' })
  t.match(elsewhere, { status: 422, body: { error: { code: 'IDEMPOTENCY_KEY_REUSED' } } }, 'another path parameter')
})

t.test('a failure is not remembered: after the restock the same key succeeds', async (t) => {
  t.equal((await place('later', order('RARE'))).status, 409)
  t.equal((await place('later', order('GHOST'))).status, 422, 'nor is what it was a failure of')
  const level = `/v1/stock/RARE/${h.tenant.locationId}/adjust`
  await client.post(level, { change: 1 })
  const placed = await place('later', order('RARE'))
  t.equal(placed.status, 201)
  t.equal(placed.headers['idempotency-replayed'], undefined)
  t.equal((await place('later', order('RARE'))).data, placed.data)
})

t.test('a key belongs to the principal: it outlives a rotation and means nothing to another', async (t) => {
  const created = await client.post('/v1/api-keys', { name: 'shop', scopes: ['orders:write', 'apiKeys:write'] })
  const shop = h.as(created.body.data.secret)
  const first = await place('mine', order(), shop)
  const rotated = await client.post(`/v1/api-keys/${created.body.data.id}/rotate`, { overlapSeconds: 0 })
  t.equal((await place('mine', order(), shop)).status, 401, 'the old key is gone')
  const replay = await place('mine', order(), h.as(rotated.body.data.secret))
  t.equal(replay.headers['idempotency-replayed'], 'true')
  t.equal(replay.data, first.data)
  const colleague = await place('mine', order())
  t.equal(colleague.status, 201)
  t.not(colleague.body.data.id, first.body.data.id)
  const other = await h.otherTenant()
  await other.stock([{ sku: 'MUG', onHand: 1 }])
  const foreign = await place('mine', order(), h.as(other.key))
  t.equal(foreign.status, 201)
  t.not(foreign.body.data.id, first.body.data.id)
})

t.test('a secret is replayed to the byte, but cannot be read from the table', async (t) => {
  const headers = { 'idempotency-key': 'confidential-answer' }
  const create = () => client.post('/v1/api-keys', { name: 'secretive', scopes: ['orders:read'] }, headers)
  const first = await create()
  const { rows } = await h.db.query(`select data from idempotency_keys where key = 'confidential-answer'`)
  const { secret } = first.body.data
  for (const form of [rows[0].data, Buffer.from(rows[0].data, 'base64').toString('latin1')]) {
    t.notOk(form.includes(secret))
    t.notOk(form.includes('secretive'), 'nor anything else of the answer')
  }
  const again = await create()
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(again.data, first.data)
  t.equal((await h.as(again.body.data.secret).get('/v1/me')).status, 200)
})

t.test('an optional key makes any command safe to repeat, a command without a body too', async (t) => {
  const created = await client.post('/v1/api-keys', { name: 'short-lived', scopes: ['orders:read'] })
  const url = `/v1/api-keys/${created.body.data.id}/revoke`
  const revoke = () => client.post(url, undefined, { 'idempotency-key': 'revoke' })
  const first = await revoke()
  t.equal(first.status, 200)
  const again = await revoke()
  t.equal(again.data, first.data)
  t.equal(again.headers['idempotency-replayed'], 'true')
})
