import { inspect } from 'node:util'
import { AuthenticationError, type PlaceOrder, Purser, type PurserOptions } from '@purser/sdk'
import { test } from 'tap'
import { failure, ok, problem, type Received, serve } from './server.ts'

const order = ok({ id: 'ord_1' })

/** A JWT that expires in so many seconds; nobody here looks at its signature. */
function jwt(expiresInSeconds: number, name = 'a'): string {
  const claims = { exp: Math.floor(Date.now() / 1_000) + expiresInSeconds, name }
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
}

/** Answers 401 to every token but these. */
const accepting = (valid: readonly string[]) => (request: Received) =>
  valid.includes(request.headers.authorization?.replace('Bearer ', '') ?? '') ? order : problem(401, 'UNAUTHENTICATED')

test('sends an API key as bearer', async (t) => {
  const { client, requests } = await serve(t, [order])
  await client({ apiKey: 'sk_test_secret' }).orders.get('ord_1')
  t.equal(requests[0]?.headers.authorization, 'Bearer sk_test_secret')
})

test('keeps secrets out of what is printed', async (t) => {
  const { client, baseUrl } = await serve(t, [problem(401, 'UNAUTHENTICATED')])
  const purser = client({ apiKey: 'sk_test_canary' })
  const error = await failure(purser.orders.get('ord_1'))
  const broken = await purser.orders.get('ord_1', {}, { headers: { 'x-note': 'sk_test_canary\nx' } }).safe()
  for (const value of [purser, error, broken]) {
    t.notMatch(inspect(value, { depth: 10, showHidden: true }), 'canary')
    t.notMatch(JSON.stringify(value), 'canary')
  }
  t.match(broken, { error: { code: 'INVALID_REQUEST', operation: 'orders.get' } })
  t.throws(() => new Purser({ baseUrl: `${baseUrl}/?k=canary`, apiKey: 'k' }), { message: /^(?!.*canary)/ })
})

test('sends cookies and no header with cookie authentication', async (t) => {
  const { client, requests } = await serve(t, [order])
  const inits: RequestInit[] = []
  const spy: typeof fetch = (url, init) => {
    inits.push(init ?? {})
    return fetch(url, init)
  }
  await client({ auth: { type: 'cookie' }, fetch: spy }).orders.get('ord_1')
  await client({ fetch: spy }).orders.get('ord_1')
  t.equal(requests[0]?.headers.authorization, undefined)
  t.strictSame(
    inits.map((init) => init.credentials),
    ['include', undefined],
  )
})

test('obtains a token once for all calls that wait for it, and keeps it', async (t) => {
  const token = jwt(900)
  const { client, requests } = await serve(t, accepting([token]))
  const asked: boolean[] = []
  const getToken = async ({ refresh }: { refresh: boolean }) => {
    asked.push(refresh)
    return token
  }
  const purser = client({ auth: { type: 'token', getToken } })
  await Promise.all([purser.orders.get('ord_1'), purser.orders.get('ord_2'), purser.orders.get('ord_3')])
  await purser.withOptions({ maxRetries: 0 }).orders.get('ord_4')
  t.strictSame(asked, [false])
  t.equal(requests.length, 4)
})

test('refreshes a refused token once for all calls and replays each once', async (t) => {
  const { client, requests } = await serve(t, accepting(['new']))
  const asked: boolean[] = []
  const getToken = async ({ refresh }: { refresh: boolean }) => {
    asked.push(refresh)
    await new Promise((resolve) => setTimeout(resolve, 20))
    return refresh ? 'new' : 'old'
  }
  const purser = client({ auth: { type: 'token', getToken }, maxRetries: 0 })
  const input: PlaceOrder = { paymentTerms: 'onAccount', lines: [{ sku: 'A', quantity: 1 }] }
  const answers = await Promise.all(Array.from({ length: 20 }, () => purser.orders.place(input).withResponse()))
  t.strictSame(asked, [false, true])
  t.equal(requests.length, 40)
  t.ok(answers.every(({ attempts }) => attempts === 2))
  t.equal(new Set(requests.map((request) => request.headers['idempotency-key'])).size, 20)
})

test('throws when the new token is refused as well', async (t) => {
  const { client, requests } = await serve(t, accepting([]))
  let count = 0
  const purser = client({ auth: { type: 'token', getToken: () => `token-${++count}` } })
  const error = await failure(purser.orders.get('ord_1'))
  t.ok(AuthenticationError.is(error))
  t.equal(count, 2)
  t.strictSame(
    requests.map((request) => request.headers.authorization),
    ['Bearer token-1', 'Bearer token-2'],
  )
})

test('replaces a token 60 seconds before it expires', async (t) => {
  const [dying, fresh] = [jwt(62, 'dying'), jwt(900, 'fresh')]
  const { client, requests } = await serve(t, accepting([dying, fresh]))
  const purser = client({ auth: { type: 'token', getToken: ({ refresh }) => (refresh ? fresh : dying) } })
  await purser.orders.get('ord_1')
  await new Promise((resolve) => setTimeout(resolve, 2_100))
  await purser.orders.get('ord_1')
  t.strictSame(
    requests.map((request) => request.headers.authorization),
    [`Bearer ${dying}`, `Bearer ${fresh}`],
  )
})

test('uses a token that this clock sees as expired until the service refuses it', async (t) => {
  const expired = jwt(-3_600)
  const { client, requests } = await serve(t, accepting([expired]))
  let count = 0
  const getToken = () => {
    count++
    return expired
  }
  const purser = client({ auth: { type: 'token', getToken } })
  await purser.orders.get('ord_1')
  await purser.orders.get('ord_1')
  t.equal(count, 1)
  t.equal(requests.length, 2)
})

test('reports a token that cannot be obtained, and tries anew with the next call', async (t) => {
  const { client, requests } = await serve(t, [order])
  let count = 0
  const getToken = async () => {
    if (++count === 1) throw new Error('offline')
    return 'token'
  }
  const purser = client({ auth: { type: 'token', getToken } })
  t.match(await failure(purser.orders.get('ord_1')), {
    code: 'TOKEN_FAILED',
    operation: 'orders.get',
    cause: { message: 'offline' },
    attempts: 0,
  })
  t.match(await purser.orders.get('ord_1'), { id: 'ord_1' })
  t.equal(requests.length, 1)
})

test('does not wait longer for a token than for an answer', async (t) => {
  const { client } = await serve(t, [order])
  const purser = client({ auth: { type: 'token', getToken: () => new Promise<string>(() => {}) } })
  const call = purser.orders.get('ord_1', {}, { timeoutMs: 50, maxRetries: 0 })
  t.match(await failure(call), { code: 'TIMED_OUT', attempts: 0 })
})

test('sends no credential to a public operation, so getToken may call it', async (t) => {
  const { transport, requests } = await serve(t, ({ url }) => (url === '/v1/login' ? ok('x') : order))
  const getToken = async () => purser.call<string>('auth.login POST /v1/login public keyless', {})
  const purser = transport({ auth: { type: 'token', getToken } })
  await purser.call('orders.get GET /v1/orders/{orderId}', undefined, {}, 'ord_1')
  t.strictSame(
    requests.map((request) => request.headers.authorization),
    [undefined, 'Bearer x'],
  )
})

test('refuses an API key in a browser', async (t) => {
  const options: PurserOptions = { baseUrl: 'http://127.0.0.1', apiKey: 'sk_test_1' }
  const agent = Object.getOwnPropertyDescriptor(globalThis, 'navigator') ?? {}
  t.teardown(() => Object.defineProperty(globalThis, 'navigator', agent))
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Mozilla/5.0 (X11)' }, configurable: true })
  t.throws(() => new Purser(options), { code: 'INVALID_CONFIGURATION' })
  t.ok(new Purser({ baseUrl: 'http://127.0.0.1', auth: { type: 'cookie' } }))
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Cloudflare-Workers' }, configurable: true })
  t.ok(new Purser(options))
  Object.assign(globalThis, { document: {} })
  t.teardown(() => Reflect.deleteProperty(globalThis, 'document'))
  t.throws(() => new Purser(options), { code: 'INVALID_CONFIGURATION' })
})

test('takes exactly one way to authenticate', async (t) => {
  const baseUrl = 'http://127.0.0.1'
  t.throws(() => new Purser({ baseUrl }), { code: 'INVALID_CONFIGURATION' })
  t.throws(() => new Purser({ baseUrl, apiKey: '' }), { code: 'INVALID_CONFIGURATION' })
  t.throws(() => new Purser({ baseUrl, apiKey: 'k', auth: { type: 'cookie' } }), { code: 'INVALID_CONFIGURATION' })
})
