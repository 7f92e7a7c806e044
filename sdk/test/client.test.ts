import { Purser } from '@purser/sdk'
import { test } from 'tap'
import { failure, ok, problem, serve } from './server.ts'

const order = ok({ id: 'ord_1' })

test('reads key and address from the environment', async (t) => {
  const { baseUrl, requests } = await serve(t, [order])
  process.env.PURSER_API_KEY = 'sk_test_env'
  process.env.PURSER_URL = `${baseUrl}/`
  t.teardown(() => {
    delete process.env.PURSER_API_KEY
    delete process.env.PURSER_URL
    delete process.env.PURSER_BASE_URL
  })
  await Purser.fromEnv().orders.get('ord_1')
  await Purser.fromEnv({ apiKey: 'sk_test_given' }).orders.get('ord_1')
  await Purser.fromEnv({ auth: { type: 'token', getToken: () => 'token' } }).orders.get('ord_1')
  delete process.env.PURSER_URL
  process.env.PURSER_BASE_URL = baseUrl
  await Purser.fromEnv().orders.get('ord_1')
  t.strictSame(
    requests.map((request) => request.headers.authorization),
    ['Bearer sk_test_env', 'Bearer sk_test_given', 'Bearer token', 'Bearer sk_test_env'],
  )
  delete process.env.PURSER_API_KEY
  t.throws(() => Purser.fromEnv(), { code: 'INVALID_CONFIGURATION' })
})

test('copies itself with other settings and leaves the original alone', async (t) => {
  const { client, requests } = await serve(t, [problem(503, 'X')])
  const purser = client({ maxRetries: 1, headers: { 'x-a': '1', 'x-b': '1' } })
  const copy = purser.withOptions({ maxRetries: 0, timeoutMs: undefined, headers: { 'x-b': '2' } })
  t.match(await failure(copy.orders.get('ord_1')), { attempts: 1, code: 'X' })
  t.match(await failure(purser.orders.get('ord_1')), { attempts: 2, code: 'X' })
  t.match(requests[0]?.headers, { 'x-a': '1', 'x-b': '2' })
  t.match(requests[1]?.headers, { 'x-a': '1', 'x-b': '1' })
})

test('does not take its credential to another address', async (t) => {
  const [mine, other] = [await serve(t, [order]), await serve(t, [order])]
  const settings: object = { baseUrl: other.baseUrl }
  await mine.client().withOptions(settings).orders.get('ord_1')
  t.equal(mine.requests.length, 1)
  t.equal(other.requests.length, 0)
})

test('works below a path', async (t) => {
  const { client, baseUrl, requests } = await serve(t, [order])
  await client({ baseUrl: `${baseUrl}/purser//` }).orders.get('ord_1')
  t.equal(requests[0]?.url, '/purser/v1/orders/ord_1')
})

test('refuses an address that is none', async (t) => {
  for (const baseUrl of ['', 'localhost:3000', '/v1', 'ftp://x', 'http://u:p@x', 'http://x/?a', 'http://x/#a', 'x'])
    t.throws(() => new Purser({ baseUrl, apiKey: 'k' }), { code: 'INVALID_CONFIGURATION' }, baseUrl)
})

test('uses the fetch it is given, or the global one of the moment', async (t) => {
  const answer = async () => new Response(JSON.stringify(order.json))
  t.match(await new Purser({ apiKey: 'k', fetch: answer }).orders.get('ord_1'), { id: 'ord_1' })
  const purser = new Purser({ apiKey: 'k' })
  const { fetch } = globalThis
  t.teardown(() => {
    globalThis.fetch = fetch
  })
  const asked: string[] = []
  globalThis.fetch = async (url) => {
    asked.push(String(url))
    return answer()
  }
  await purser.orders.get('ord_1')
  t.strictSame(asked, ['http://127.0.0.1:3000/v1/orders/ord_1'])
})
