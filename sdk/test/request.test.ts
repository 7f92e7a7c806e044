import { once } from 'node:events'
import { createServer } from 'node:http'
import { type Order, Purser, type Result } from '@purser/sdk'
import { test } from 'tap'
import { Call } from '../src/call.ts'
import { failure, listen, ok, problem, serve, withHeaders } from './server.ts'

const order = ok({ id: 'ord_1', version: 7 })

test('sends path ids, body and options where they belong', async (t) => {
  const { client, requests } = await serve(t, [order])
  await client({ headers: { 'x-team': 'web', 'x-a': '1' } }).orders.cancel(
    'ord_1',
    { reason: 'customer' },
    { ifMatch: 7, headers: { 'X-A': '2' }, idempotencyKey: 'k' },
  )
  t.match(requests[0], {
    method: 'POST',
    url: '/v1/orders/ord_1/cancel',
    body: '{"reason":"customer"}',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'if-match': '"7"',
      'x-team': 'web',
      'x-a': '2',
      'idempotency-key': 'k',
    },
  })
})

test('sends an empty body for optional fields that are left out, and none where there are no fields', async (t) => {
  const { client, requests } = await serve(t, [order])
  await client().orders.cancel('ord_1')
  await client().request({ method: 'POST', path: '/v1/orders/ord_1/cancel' })
  t.match(requests[0], { body: '{}' })
  t.match(requests[1], { body: '' })
  t.equal(requests[1]?.headers['content-type'], undefined)
})

test('writes versions as entity tags and passes tags on', async (t) => {
  const { client, requests } = await serve(t, [order])
  for (const ifMatch of [7, '7', '"7.3fa9c1"', 'W/"7"', '*']) await client().orders.cancel('ord_1', {}, { ifMatch })
  t.strictSame(
    requests.map((request) => request.headers['if-match']),
    ['"7"', '"7"', '"7.3fa9c1"', 'W/"7"', '*'],
  )
})

test('reads conditionally', async (t) => {
  const { client, requests } = await serve(t, [{ status: 304 }])
  t.match(await failure(client().orders.get('ord_1', {}, { ifNoneMatch: '"7.3fa9c1"' })), { code: 'HTTP_304' })
  t.equal(requests[0]?.headers['if-none-match'], '"7.3fa9c1"')
})

test('encodes ids as one segment', async (t) => {
  const { client, requests } = await serve(t, [order])
  for (const id of ['a/b', '../x', 'ä ?#', '%2f', '…']) await client().orders.get(id)
  t.strictSame(
    requests.map(({ url }) => url),
    ['a%2Fb', '..%2Fx', '%C3%A4%20%3F%23', '%252f', '%E2%80%A6'].map((id) => `/v1/orders/${id}`),
  )
})

test('refuses ids that would address something else', async (t) => {
  const { client, requests } = await serve(t, [order])
  const ids: unknown[] = ['', '.', '..', '%2e', '%2E%2e', '.%2e', undefined, null, {}, ['ord_1']]
  for (const id of ids) {
    const call = client().orders.get(id as string)
    t.match(await failure(call), { code: 'INVALID_REQUEST', operation: 'orders.get' }, String(id))
  }
  t.equal(requests.length, 0)
})

test('writes queries: lists repeated, dates in UTC, nothing for what is absent', async (t) => {
  const { client, requests } = await serve(t, [order])
  const query = { a: ['x', 'y'], b: null, c: undefined, d: new Date(0), e: 1, f: false, g: 'ä&=', h: [] }
  await client().request({ method: 'GET', path: '/v1/orders', query })
  t.equal(requests[0]?.url, '/v1/orders?a=x&a=y&d=1970-01-01T00%3A00%3A00.000Z&e=1&f=false&g=%C3%A4%26%3D')
})

test('request() unwraps envelopes, returns other JSON as it is, and throws like every call', async (t) => {
  const { client, requests } = await serve(t, [
    order,
    { json: { status: 'ok' } },
    problem(409, 'OUT_OF_STOCK'),
    { text: 'x' },
  ])
  const purser = client()
  t.match(await purser.request<Order>({ method: 'PATCH', path: '/v1/orders/ord_1', body: { a: 1 } }), { id: 'ord_1' })
  t.match(requests[0], { method: 'PATCH', body: '{"a":1}', headers: { 'idempotency-key': String } })
  t.strictSame(await purser.request({ method: 'GET', path: '/health/ready' }), { status: 'ok' })
  const failing = purser.request({ method: 'POST', path: '/v1/orders', body: {} })
  t.match(await failure(failing), { code: 'OUT_OF_STOCK', operation: 'POST /v1/orders' })
  t.match(await failure(purser.request({ method: 'GET', path: '/v1/x' })), { code: 'DECODE_FAILED' })
})

test('request() stays on its own service', async (t) => {
  const { client, requests } = await serve(t, [order])
  const paths = [
    'v1',
    '',
    '@example.com/',
    '/v1/../x',
    '/v1/%2e%2E/x',
    '/.',
    '/a?b=1',
    '/a#b',
    '/a\\..',
    '/.\t./x',
    '/a b',
  ]
  for (const path of paths) {
    const call = client().request({ method: 'GET', path })
    t.match(await failure(call), { code: 'INVALID_REQUEST' }, path)
  }
  t.equal(requests.length, 0)
  await client().request({ method: 'GET', path: '//example.com/' })
  t.match(requests[0], { url: '//example.com/' }, 'it cannot leave the host')
})

test('follows no redirect and carries its credential nowhere', async (t) => {
  const visits: string[] = []
  const elsewhere = await listen(
    t,
    createServer((request, response) => {
      visits.push(request.headers.authorization ?? '')
      response.end()
    }),
  )
  for (const status of [301, 302, 303, 307, 308]) {
    const { client, requests } = await serve(t, [withHeaders({ status }, { location: elsewhere })])
    t.match(await failure(client().orders.get('ord_1')), { code: 'REDIRECT_REFUSED', status, attempts: 1 })
    t.equal(requests.length, 1)
  }
  t.strictSame(visits, [])
})

test('sends a call that nobody awaits', async (t) => {
  const server = createServer((_, response) => response.end(JSON.stringify(order.json)))
  const arrived = once(server, 'request')
  const purser = new Purser({ baseUrl: await listen(t, server), apiKey: 'sk_test_1' })
  const call = purser.orders.cancel('ord_1')
  t.ok(await arrived)
  t.match(await call, { id: 'ord_1' })
})

test('sends a call once however often it is read', async (t) => {
  const { client, requests } = await serve(t, [order])
  const call = client().orders.get('ord_1')
  t.ok(call instanceof Call)
  const [data, again, answer, safe] = await Promise.all([call, call, call.withResponse(), call.safe()])
  t.equal(data, again)
  t.match(answer, { data, attempts: 1, requestId: 'req_body' })
  t.equal(answer.response.status, 200)
  t.match(safe, { ok: true, data })
  t.equal(await call.finally(() => undefined), data)
  t.equal(requests.length, 1)
})

test('safe() returns errors of the service and throws defects', async (t) => {
  const { client } = await serve(t, [problem(404, 'ORDER_NOT_FOUND')])
  const result: Result<Order> = await client().orders.get('ord_1').safe()
  t.match(result, { ok: false, error: { code: 'ORDER_NOT_FOUND' } })
  const defect = new Call(() => Promise.reject(new TypeError('a defect')))
  await t.rejects(defect.safe(), TypeError)
})

test('refuses what cannot be sent', async (t) => {
  const { client, requests } = await serve(t, [order])
  const circular: Record<string, unknown> = {}
  circular.self = circular
  for (const body of [circular, 1n]) {
    const call = client().request({ method: 'POST', path: '/v1/x', body })
    t.match(await failure(call), { code: 'INVALID_REQUEST' })
  }
  t.match(await failure(client().orders.get('ord_1', {}, { headers: { 'x a': '1' } })), { code: 'INVALID_REQUEST' })
  t.equal(requests.length, 0)
})

test('gives nothing for 204', async (t) => {
  const { client } = await serve(t, [{ status: 204 }])
  t.equal(await client().request({ method: 'DELETE', path: '/v1/x' }), undefined)
})
