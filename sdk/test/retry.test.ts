import { ConnectionError, type PlaceOrder, PurserError, RateLimitError, ServerError } from '@purser/sdk'
import { test } from 'tap'
import { delayBefore } from '../src/retry.ts'
import { failure, ok, problem, serve, withHeaders } from './server.ts'

const order = ok({ id: 'ord_1' })
const unavailable = problem(503, 'SERVICE_UNAVAILABLE')
const place: PlaceOrder = { paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 6 }] }

for (const status of [408, 425, 429, 500, 502, 503, 504])
  test(`repeats a read after ${status}`, async (t) => {
    const { client, requests } = await serve(t, [problem(status, 'SOME_CODE'), order])
    const { attempts } = await client().orders.get('ord_1').withResponse()
    t.equal(attempts, 2)
    t.equal(requests.length, 2)
  })

for (const status of [400, 401, 403, 404, 409, 410, 412, 422, 428, 501])
  test(`does not repeat after ${status}`, async (t) => {
    const { client, requests } = await serve(t, [problem(status, 'SOME_CODE')])
    t.match(await failure(client().orders.get('ord_1')), { status, attempts: 1, code: 'SOME_CODE' })
    t.equal(requests.length, 1)
  })

test('repeats after 409 when another request holds the key', async (t) => {
  const { client, requests } = await serve(t, [problem(409, 'IDEMPOTENCY_IN_PROGRESS'), order])
  await client().orders.place(place)
  t.equal(requests.length, 2)
})

test('believes the problem about whether it can be repeated', async (t) => {
  const never = await serve(t, [problem(503, 'MAINTENANCE', { retryable: false })])
  t.match(await failure(never.client().orders.get('ord_1')), { attempts: 1 })
  const worth = await serve(t, [problem(409, 'SOME_CODE', { retryable: true }), order])
  t.match(await worth.client().orders.get('ord_1'), { id: 'ord_1' })
})

test('sends the same key on every attempt and keeps it on the error', async (t) => {
  const { client, requests } = await serve(t, [unavailable])
  const error = await failure(client().orders.place(place))
  t.ok(ServerError.is(error))
  if (!PurserError.is(error)) return
  t.equal(error.attempts, 3)
  t.match(error.idempotencyKey, /^[\x21-\x7e]{16,255}$/)
  t.strictSame(
    requests.map((request) => request.headers['idempotency-key']),
    Array(3).fill(error.idempotencyKey),
  )
  t.equal(new Set(requests.map((request) => request.body)).size, 1)
})

test('sends the key it is given, and a new one for each call otherwise', async (t) => {
  const { client, requests } = await serve(t, [order])
  await client().orders.place(place, { idempotencyKey: 'order-536365' })
  await client().orders.place(place)
  await client().orders.place(place)
  const keys = requests.map((request) => request.headers['idempotency-key'])
  t.equal(keys[0], 'order-536365')
  t.equal(new Set(keys).size, 3)
})

test('sends no key with a read, also one by POST, and repeats both', async (t) => {
  const { client, requests } = await serve(t, [order, unavailable])
  await client().orders.get('ord_1', undefined, { idempotencyKey: 'unused' })
  t.match(await failure(client().orders.quote(place)), { attempts: 3, status: 503 })
  t.strictSame(new Set(requests.map((request) => request.headers['idempotency-key'])), new Set([undefined]))
})

test('repeats a call whose connection broke, and says so in the end', async (t) => {
  const broken = await serve(t, [{ destroy: true }, order])
  t.match(await broken.client().orders.place(place), { id: 'ord_1' })
  const { client, requests } = await serve(t, [{ destroy: true }])
  const error = await failure(client().orders.place(place))
  t.ok(ConnectionError.is(error, 'CONNECTION_FAILED'))
  t.match(error, { attempts: 3, operation: 'orders.place', cause: Error })
  t.equal(requests.length, 3)
})

test('repeats as often as told', async (t) => {
  const { client, requests } = await serve(t, [unavailable])
  t.match(await failure(client().orders.get('ord_1', {}, { maxRetries: 0 })), { attempts: 1 })
  t.match(await failure(client({ maxRetries: 1 }).orders.get('ord_1')), { attempts: 2 })
  t.equal(requests.length, 3)
})

test('waits the seconds that Retry-After asks for', async (t) => {
  const { client, requests } = await serve(t, [withHeaders(unavailable, { 'retry-after': '1' }), order])
  await client().orders.get('ord_1')
  const waitedMs = (requests[1]?.atMs ?? 0) - (requests[0]?.atMs ?? 0)
  t.ok(waitedMs >= 1_000 && waitedMs < 2_000, `${waitedMs} ms`)
})

test('waits until the date that Retry-After names, by the clock of the service', async (t) => {
  const date = 'Thu, 15 Jan 2026 09:30:00 GMT'
  const after = 'Thu, 15 Jan 2026 09:30:01 GMT'
  const { client, requests } = await serve(t, [withHeaders(unavailable, { date, 'retry-after': after }), order])
  await client().orders.get('ord_1')
  const waitedMs = (requests[1]?.atMs ?? 0) - (requests[0]?.atMs ?? 0)
  t.ok(waitedMs >= 1_000 && waitedMs < 2_000, `${waitedMs} ms`)
})

test('throws at once when Retry-After is above the cap', async (t) => {
  const { client, requests } = await serve(t, [withHeaders(unavailable, { 'retry-after': '61' })])
  const startedAt = performance.now()
  t.match(await failure(client().orders.get('ord_1')), { retryAfterMs: 61_000, attempts: 1, status: 503 })
  t.ok(performance.now() - startedAt < 1_000)
  t.match(await failure(client({ maxRetryAfterMs: 0 }).orders.get('ord_1')), { attempts: 1 })
  t.equal(requests.length, 2)
})

test('spreads repetitions at random below a ceiling that doubles from 0.5 to 8 seconds', async (t) => {
  for (const [retries, ceilingMs] of [500, 1_000, 2_000, 4_000, 8_000, 8_000].entries()) {
    const delays = Array.from({ length: 500 }, () => delayBefore(retries, undefined))
    t.ok(Math.min(...delays) >= 0 && Math.max(...delays) <= ceilingMs)
    t.ok(Math.min(...delays) < ceilingMs / 4 && Math.max(...delays) > (ceilingMs * 3) / 4, 'all of the range is used')
    t.ok(delayBefore(retries, 3_000) >= 3_000, 'what was asked for is never shortened')
  }
})

test('pauses its other calls after a 429, those of its copies too', async (t) => {
  const limited = withHeaders(problem(429, 'RATE_LIMITED'), { 'retry-after': '1' })
  const { client, requests } = await serve(t, [limited, order])
  const purser = client()
  const error = await failure(purser.orders.get('ord_1', {}, { maxRetries: 0 }))
  t.ok(RateLimitError.is(error))
  t.match(error, { retryAfterMs: 1_000 })
  await Promise.all([purser.orders.get('ord_2'), purser.withOptions({ timeoutMs: 500 }).orders.get('ord_3')])
  const [first = 0, ...others] = requests.map((request) => request.atMs)
  t.equal(others.length, 2)
  for (const other of others) t.ok(other - first >= 1_000, `${other - first} ms`)
})

test('does not hold its calls to another limit back', async (t) => {
  const limited = withHeaders(problem(429, 'RATE_LIMITED'), { 'retry-after': '5' })
  const { transport } = await serve(t, ({ url }) => (url.startsWith('/v1/auth') ? limited : order))
  const purser = transport({ apiKey: 'sk_test_1' })
  const login = purser.call('auth.login POST /v1/auth/login public keyless', { email: 'a@example.com' })
  t.match(await failure(login), { status: 429, operation: 'auth.login' })
  const startedAt = performance.now()
  await purser.call('orders.get GET /v1/orders/{orderId}', undefined, {}, 'ord_1')
  t.ok(performance.now() - startedAt < 1_000)
})
