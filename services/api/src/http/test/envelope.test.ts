import t from 'tap'
import { problemCatalogue, problemSlug } from '#platform/problem.ts'
import { harness } from '#test/harness.ts'

const h = await harness(t, { env: { PUBLIC_URL: 'https://shop.example/api/' } })
await h.tenant.stock([{ sku: 'MUG', onHand: 5 }])
const client = h.as(h.tenant.key)
const order = (quantity: number) => ({ paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity }] })
const requestIdPattern = /^req_[0-7][0-9a-hjkmnp-tv-z]{25}$/

t.test('wraps one resource in data and meta, and nothing else', async (t) => {
  const { body, headers } = await client.get('/v1/organization')
  t.same(Object.keys(body), ['success', 'data', 'meta'])
  t.equal(body.success, true)
  t.same(Object.keys(body.meta), ['requestId'])
  t.match(body.meta.requestId, requestIdPattern)
  t.equal(headers['x-request-id'], body.meta.requestId)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.match(headers.vary, /\bAuthorization\b/)
})

t.test('wraps a list with its page', async (t) => {
  const { body } = await client.get('/v1/products')
  t.same(Object.keys(body), ['success', 'data', 'meta'])
  t.ok(Array.isArray(body.data))
  t.same(body.meta.page, { nextCursor: null, previousCursor: null, hasMore: false })
})

t.test('names a new resource with Location, below PUBLIC_URL, and its version with ETag', async (t) => {
  const placed = await client.post('/v1/orders', order(1))
  t.equal(placed.status, 201)
  t.equal(placed.headers.location, `https://shop.example/api/v1/orders/${placed.body.data.id}`)
  const read = await client.get(`/v1/orders/${placed.body.data.id}`)
  t.equal(read.headers.etag, placed.headers.etag)
  t.equal(read.data, placed.data, 'both have the same bytes')
})

t.test('keeps every key present, with null for what is absent, and times in UTC with milliseconds', async (t) => {
  const { data } = (await client.post('/v1/orders', order(1))).body
  for (const key of ['customer', 'shippingAddress', 'notes', 'source', 'externalId', 'cancelReason', 'closedAt'])
    t.equal(data[key], null, key)
  t.match(data.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.same(data.metadata, {})
})

t.test('answers HEAD like GET, without the body', async (t) => {
  const { status, text, headers } = await client.send({ method: 'HEAD', url: '/v1/organization' })
  t.equal(status, 200)
  t.equal(text, '')
  t.match(headers.etag, /^"1\.[0-9a-f]{6}"$/)
})

t.test('answers every error with one body', async (t) => {
  const { status, body, headers } = await client.post('/v1/orders', order(99))
  t.equal(status, 409)
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  const detail = 'SKU MUG: 99 requested, 3 available'
  t.same(body, {
    type: 'https://shop.example/api/problems/out-of-stock',
    title: 'Not enough stock to place the order',
    status: 409,
    detail,
    instance: '/v1/orders',
    success: false,
    error: { code: 'OUT_OF_STOCK', message: detail },
    retryable: false,
    errors: [{ field: 'lines[0].quantity', pointer: '/lines/0/quantity', code: 'OUT_OF_STOCK', message: detail }],
    meta: { requestId: headers['x-request-id'] },
  })
  t.same(Object.keys(body).slice(0, 5), ['type', 'title', 'status', 'detail', 'instance'], 'RFC 9457 comes first')
})

t.test('serves a page for every problem, where its type points', async (t) => {
  const { body } = await client.post('/v1/orders', order(99))
  const path = new URL(body.type).pathname.replace('/api', '')
  const page = await h.as().get(path)
  t.equal(page.status, 200)
  t.match(page.text, 'Not enough stock to place the order')
  for (const problem of problemCatalogue()) {
    const { status, text, headers } = await h.as().get(`/problems/${problemSlug(problem)}`)
    t.equal(status, 200, problem.code)
    t.match(headers['content-type'], /^text\/html/)
    t.ok(text.includes(problem.code) && text.includes(problem.title), problem.code)
  }
  const index = await h.as().get('/problems')
  for (const { code } of problemCatalogue()) t.ok(index.text.includes(code), code)
})

t.test("another tenant's resource is as absent as one that never was", async (t) => {
  const other = await h.otherTenant()
  const { id } = (await client.post('/v1/orders', order(1))).body.data
  const absent = id.replace(/.{6}$/, '000000')
  const anonymised = async (url: string) => {
    const { status, body, headers } = await h.as(other.key).get(url)
    const { instance, meta, ...rest } = body
    const { 'x-request-id': _id, 'ratelimit-remaining': _left, date: _date, ...kept } = headers
    t.equal(instance, url)
    t.match(meta.requestId, requestIdPattern)
    return { status, rest, headers: kept }
  }
  t.equal((await client.get(`/v1/orders/${id}`)).status, 200)
  const foreign = await anonymised(`/v1/orders/${id}`)
  t.equal(foreign.status, 404)
  t.same(foreign, await anonymised(`/v1/orders/${absent}`))
})

t.test('no answer holds a stack, SQL or a file path', async (t) => {
  const answers = await Promise.all([
    client.post('/v1/orders', order(99)),
    client.post('/v1/orders', '{"broken'),
    client.get('/v1/orders/ord_x'),
    client.get('/v1/nowhere'),
    client.get('/v1/orders?after=x'),
    h.as('sk_test_wrong').get('/v1/me'),
  ])
  for (const { status, text } of answers) {
    t.ok(status >= 400)
    t.notMatch(text, /node_modules|\.ts\b|\bat \w+ \(|select |insert |FST_|pg_/i)
  }
})
