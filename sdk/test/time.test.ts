import { getEventListeners } from 'node:events'
import { AbortError, TimeoutError } from '@purser/sdk'
import { test } from 'tap'
import { failure, ok, problem, serve, withHeaders } from './server.ts'

const order = ok({ id: 'ord_1' })

test('gives an attempt up after its time-out and repeats it', async (t) => {
  const { client, requests } = await serve(t, [{ ...order, waitMs: 3_000 }, order])
  const { attempts } = await client({ timeoutMs: 500 }).orders.get('ord_1').withResponse()
  t.equal(attempts, 2)
  t.equal(requests.length, 2)
})

test('counts the body into the time-out', async (t) => {
  const { client } = await serve(t, [{ ...order, stallMs: 2_000 }])
  const startedAt = performance.now()
  const error = await failure(client().orders.get('ord_1', {}, { timeoutMs: 100, maxRetries: 0 }))
  t.ok(TimeoutError.is(error, 'TIMED_OUT'))
  t.match(error, { attempts: 1, operation: 'orders.get', message: /100 ms/ })
  t.ok(performance.now() - startedAt < 1_000)
})

test('waits as long as it takes without a time-out', async (t) => {
  const { client } = await serve(t, [{ ...order, waitMs: 50 }])
  t.match(await client({ timeoutMs: Infinity }).orders.get('ord_1'), { id: 'ord_1' })
})

test('cuts off a fetch that ignores its signal', async (t) => {
  const { client } = await serve(t, [order])
  const purser = client({ fetch: () => new Promise(() => {}), timeoutMs: 50, maxRetries: 0 })
  t.match(await failure(purser.orders.get('ord_1')), { code: 'TIMED_OUT' })
})

test('sends nothing when the signal is aborted already', async (t) => {
  const { client, requests } = await serve(t, [order])
  const error = await failure(client().orders.get('ord_1', {}, { signal: AbortSignal.abort('no') }))
  t.ok(AbortError.is(error))
  t.match(error, { cause: 'no', attempts: 0, name: 'AbortError' })
  t.equal(requests.length, 0)
})

test('ends the request when the signal is aborted, and does not repeat it', async (t) => {
  const { client, requests } = await serve(t, [{ ...order, waitMs: 2_000 }])
  const controller = new AbortController()
  const call = client().orders.place({ paymentTerms: 'onAccount', lines: [] }, { signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  const startedAt = performance.now()
  const result = await call.safe()
  t.notOk(result.ok)
  t.match(result, { error: { code: 'ABORTED', attempts: 1, idempotencyKey: String } })
  t.ok(performance.now() - startedAt < 1_000)
  t.equal(requests.length, 1)
})

test('ends the pause before a retry when the signal is aborted', async (t) => {
  const { client, requests } = await serve(t, [withHeaders(problem(503, 'DRAINING'), { 'retry-after': '30' })])
  const signal = AbortSignal.timeout(100)
  const startedAt = performance.now()
  t.match(await failure(client().orders.get('ord_1', {}, { signal })), { code: 'ABORTED', attempts: 1 })
  t.ok(performance.now() - startedAt < 1_000)
  t.equal(requests.length, 1)
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

test('ends the pause after a 429 when the signal is aborted', async (t) => {
  const limited = withHeaders(problem(429, 'RATE_LIMITED'), { 'retry-after': '30' })
  const { client, requests } = await serve(t, [limited, order])
  const purser = client()
  await purser.orders.get('ord_1', {}, { maxRetries: 0 }).safe()
  const signal = AbortSignal.timeout(50)
  t.match(await failure(purser.orders.get('ord_1', {}, { signal })), { code: 'ABORTED', attempts: 0 })
  t.equal(requests.length, 1)
})

test('leaves no listener behind in 10,000 calls on one signal', async (t) => {
  const { client } = await serve(t, [order])
  const { signal } = new AbortController()
  const answer = JSON.stringify(order.json)
  let sent = 0
  const fetch = async () => new Response(answer, { status: ++sent % 10 === 0 ? 500 : 200 })
  const purser = client({ fetch, maxRetries: 0 })
  let most = 0
  for (let round = 0; round < 100; round++) {
    await Promise.all(Array.from({ length: 100 }, () => purser.orders.get('ord_1', {}, { signal }).safe()))
    most = Math.max(most, getEventListeners(signal, 'abort').length)
  }
  t.equal(sent, 10_000)
  t.equal(most, 0)
})
