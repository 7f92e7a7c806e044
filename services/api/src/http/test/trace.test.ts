import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t)
await h.tenant.stock([{ sku: 'MUG', onHand: 10 }])
const client = h.as(h.tenant.key)
const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
const made = /^req_[0-7][0-9a-hjkmnp-tv-z]{25}$/

t.test('a well-formed request id is kept, any other replaced', async (t) => {
  for (const id of ['a', 'my-Request_1', 'x'.repeat(128)]) {
    const { headers, body } = await client.get('/v1/me', { 'x-request-id': id })
    t.equal(headers['x-request-id'], id)
    t.equal(body.meta.requestId, id)
  }
  for (const id of ['', 'a b', 'a.b', 'x'.repeat(129), 'ä', 'a"b', '<script>', '../x']) {
    const { headers, body } = await client.get('/v1/me', { 'x-request-id': id })
    t.match(headers['x-request-id'], made, id)
    t.equal(body.meta.requestId, headers['x-request-id'])
  }
})

t.test('every answer carries its request id', async (t) => {
  const authorization = `Bearer ${h.tenant.key}`
  const cases = [
    ['GET', '/v1/me', {}, 200],
    ['GET', '/v1/me', { authorization: '' }, 401],
    ['GET', '/v1/nowhere', {}, 404],
    ['DELETE', '/v1/orders', {}, 405],
    ['GET', '/v1/me', { accept: 'text/html' }, 406],
    ['GET', `/v1/products?q=${'x'.repeat(9_000)}`, {}, 414],
    ['POST', '/v1/locations', { 'content-type': 'text/plain' }, 415],
    ['GET', '/v1/orders?limit=0', {}, 422],
    ['GET', '/v1/orders/%zz', {}, 400],
    ['GET', '/health/live', {}, 200],
    ['GET', '/ready', {}, 200],
    ['GET', '/', {}, 200],
    ['GET', '/docs/', {}, 200],
    ['GET', '/openapi.json', {}, 200],
    ['GET', '/problems/none', {}, 404],
    ['OPTIONS', '/v1/orders', { origin: 'https://shop.example', 'access-control-request-method': 'POST' }, 204],
    ['GET', '/v1/organization', { 'if-none-match': '*' }, 304],
  ] as const
  for (const [method, url, more, status] of cases) {
    const headers = { authorization, 'x-request-id': 'mine', ...more }
    const payload = method === 'POST' ? { payload: 'x' } : {}
    const response = await h.app.http.inject({ method, url, headers, ...payload })
    t.equal(response.statusCode, status, url)
    t.equal(response.headers['x-request-id'], 'mine', `${status} ${url}`)
  }
})

t.test("the caller's trace is continued into the ledger, with a span of our own", async (t) => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const parent = 'b7ad6b7169203331'
  const traceOf = async (traceparent: string) => {
    const { body } = await client.post('/v1/orders', order, { traceparent, 'x-request-id': 'traced' })
    const { rows } = await h.db.query('select traceparent, request_id from ledger where resource_id = $1', [
      body.data.id,
    ])
    t.equal(rows.length, 2)
    t.equal(rows[0].traceparent, rows[1].traceparent)
    t.equal(rows[0].request_id, 'traced')
    return /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(rows[0].traceparent)?.slice(1) ?? []
  }
  const [trace, span, flags] = await traceOf(`00-${traceId}-${parent}-00`)
  t.equal(trace, traceId)
  t.not(span, parent)
  t.equal(flags, '00', 'the sampling decision is kept')
  const malformed = [
    '',
    'x',
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${parent}-01`,
    `ff-${traceId}-${parent}-01`,
    `00-${traceId}-${parent}`,
  ]
  for (const header of malformed) {
    const [fresh] = await traceOf(header)
    t.match(fresh, /^[0-9a-f]{32}$/, header)
    t.notMatch(fresh, /^0af7/)
  }
})
