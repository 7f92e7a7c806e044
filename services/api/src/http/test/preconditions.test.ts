import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t)
await h.tenant.stock([{ sku: 'MUG', onHand: 10 }])
const client = h.as(h.tenant.key)
const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
const rename = (name: string, ifMatch?: string) =>
  client.patch('/v1/organization', { name }, ifMatch === undefined ? {} : { 'if-match': ifMatch })

t.test('a copy that is current need not be sent again', async (t) => {
  const { body, headers } = await client.post('/v1/orders', order)
  const url = `/v1/orders/${body.data.id}`
  const etag = headers.etag ?? ''
  t.match(etag, /^"2\.[0-9a-f]{6}"$/)
  for (const tags of [etag, `W/${etag}`, `"1.abcdef", ${etag}`, '*']) {
    const answer = await client.get(url, { 'if-none-match': tags })
    t.equal(answer.status, 304, tags)
    t.equal(answer.text, '')
    t.equal(answer.headers.etag, etag)
    t.ok(answer.headers['x-request-id'])
  }
  for (const tags of ['"2"', '"2.000000"', '"1.abcdef"', '2'])
    t.equal((await client.get(url, { 'if-none-match': tags })).status, 200, tags)
  await client.post(`${url}/cancel`, {})
  const changed = await client.get(url, { 'if-none-match': etag })
  t.equal(changed.status, 200)
  t.match(changed.headers.etag, /^"3\./)
})

t.test('the tag is of this representation: it differs with what the caller may do', async (t) => {
  const { body, headers } = await client.post('/v1/orders', order)
  const reader = await h.as(await h.tenant.keyWith(['orders:read'])).get(`/v1/orders/${body.data.id}`)
  t.same(reader.body.data.allowedActions, [])
  t.not(reader.headers.etag, headers.etag)
  t.match(reader.headers.etag, /^"2\./, 'of the same version')
})

t.test('a change of a versioned resource needs If-Match, and the current version in it', async (t) => {
  t.match(await rename('A'), { status: 428, body: { error: { code: 'PRECONDITION_REQUIRED' } } })
  const etag = (await client.get('/v1/organization')).headers.etag ?? ''
  const first = await rename('A', etag)
  t.match(first, { status: 200, body: { data: { name: 'A', version: 2 } } })
  t.match(await rename('B', etag), { status: 412, body: { error: { code: 'PRECONDITION_FAILED' } } })
  t.match(await rename('B', '"2"'), { status: 200, body: { data: { version: 3 } } }, 'the bare version')
  t.match(await rename('C', '"2.000000", "3.ffffff"'), { status: 200 }, 'one of several; the hash does not count')
  t.match(await rename('D', '*'), { status: 200, body: { data: { name: 'D', version: 5 } } }, 'any')
  for (const tags of ['7', 'x', '""', '"a"', '"1', '"1" "2"', '', '"1",', '"-1"', `"${'9'.repeat(20)}"`])
    t.match(await rename('E', tags || ' '), { status: 400, body: { error: { code: 'MALFORMED_REQUEST' } } }, tags)
  t.equal((await client.get('/v1/organization')).body.data.name, 'D')
})

t.test('of two changes of the same version one succeeds', async (t) => {
  const etag = (await client.get('/v1/organization')).headers.etag ?? ''
  const answers = await Promise.all(['F', 'G', 'H', 'I'].map((name) => rename(name, etag)))
  t.same(answers.map(({ status }) => status).sort(), [200, 412, 412, 412])
})

t.test('a stock level needs If-Match once it exists; reservations leave its version', async (t) => {
  const url = `/v1/stock/MUG/${h.tenant.locationId}`
  const before = await client.get(url)
  t.equal((await client.put(url, { onHand: 50 })).status, 428)
  await client.post('/v1/orders', order)
  const reserved = await client.get(url)
  t.equal(reserved.body.data.version, before.body.data.version)
  t.not(reserved.headers.etag, before.headers.etag, 'it reads differently all the same')
  const set = await client.put(url, { onHand: 50 }, { 'if-match': before.headers.etag ?? '' })
  t.match(set, { status: 200, body: { data: { onHand: 50, version: before.body.data.version + 1 } } })
})
