import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t, { env: { BODY_LIMIT_BYTES: '2048' } })
const client = h.as(h.tenant.key)
const { http } = h.app
const authorization = `Bearer ${h.tenant.key}`
const json = { 'content-type': 'application/json' }

/** For answers the contract leaves to HTTP itself, which no operation documents. */
async function problemOf(url: string, method: 'GET' | 'DELETE' | 'OPTIONS' = 'GET', headers = {}) {
  const response = await http.inject({ method, url, headers: { authorization, ...headers } })
  return { status: response.statusCode, headers: response.headers, ...response.json<{ error: { code: string } }>() }
}

t.test('tells an address that does not exist from a method it does not have', async (t) => {
  for (const url of ['/v1/nowhere', '/nowhere', '/v1/orders/a/b/c', '/v2/orders', '/docs/static/no.js'])
    t.match(await problemOf(url), { status: 404, error: { code: 'ROUTE_NOT_FOUND' } }, url)
  const cases = [
    ['DELETE', '/v1/orders', 'GET, HEAD, POST'],
    ['DELETE', '/v1/orders/ord_1', 'GET, HEAD, PATCH'],
    ['GET', '/v1/orders/ord_1/cancel', 'POST'],
    ['DELETE', '/v1/organization', 'GET, HEAD, PATCH'],
    ['DELETE', '/health/live', 'GET, HEAD'],
  ] as const
  for (const [method, url, allow] of cases) {
    const answer = await problemOf(url, method)
    t.match(answer, { status: 405, error: { code: 'METHOD_NOT_ALLOWED' } }, url)
    t.equal(answer.headers.allow, allow, url)
  }
})

t.test('refuses a client that cannot read JSON', async (t) => {
  const statusFor = async (accept: string) => (await client.get('/v1/me', { accept })).status
  for (const accept of ['text/html', 'application/json;q=0', 'image/*, text/plain;q=0.5', 'application/xml'])
    t.equal(await statusFor(accept), 406, accept)
  for (const accept of [
    '',
    '*/*',
    'application/*',
    'text/html, application/json;q=0.1',
    'Application/JSON; charset=utf-8',
  ])
    t.equal(await statusFor(accept), 200, accept)
  t.equal((await client.get('/v1/me', { accept: 'text/html' })).body.error.code, 'NOT_ACCEPTABLE')
})

t.test('refuses a body beyond the limit, announced or not', async (t) => {
  const large = JSON.stringify({ name: 'x'.repeat(3_000) })
  const announced = await client.post('/v1/locations', large, json)
  t.match(announced, { status: 413, body: { error: { code: 'PAYLOAD_TOO_LARGE' } } })
  const url = await http.listen({ host: '127.0.0.1', port: 0 })
  const chunks = new ReadableStream({
    start(controller) {
      for (const chunk of large.match(/.{1,500}/g) ?? []) controller.enqueue(Buffer.from(chunk))
      controller.close()
    },
  })
  const headers = { authorization, ...json }
  const init = { method: 'POST', headers, body: chunks, duplex: 'half' } as RequestInit
  const streamed = await fetch(`${url}/v1/locations`, init)
  t.equal(streamed.status, 413)
  t.equal((await client.get('/v1/locations')).body.data.length, 1, 'nothing was created')
})

t.test('refuses a URL beyond 8 KiB, and one that cannot be decoded', async (t) => {
  const longest = `/v1/products?q=${'x'.repeat(8_192 - '/v1/products?q='.length)}`
  t.match(await problemOf(longest), { status: 422 }, 'read, and too long for q')
  t.match(await problemOf(`${longest}x`), { status: 414, error: { code: 'URI_TOO_LONG' } })
  for (const url of ['/v1/orders/%zz', '/v1/orders/%ff', '/%'])
    t.match(await problemOf(url), { status: 400, error: { code: 'MALFORMED_REQUEST' } }, url)
  t.match(await problemOf('/v1/products?q=%00'), { status: 400, error: { code: 'MALFORMED_REQUEST' } })
  t.match(await problemOf(`/v1/orders/${'a'.repeat(2_000)}`), { status: 422 }, 'a long path parameter')
})

t.test('refuses media types and charsets it does not read', async (t) => {
  const types = [
    'text/plain',
    'application/xml',
    'application/json; charset=latin1',
    'application/merge-patch+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
    'application/jsonx',
  ]
  for (const type of types) {
    const answer = await client.post('/v1/locations', '{"name":"x"}', { 'content-type': type })
    t.match(answer, { status: 415, body: { error: { code: 'UNSUPPORTED_MEDIA_TYPE' } } }, type)
  }
  const bare = await client.send({ method: 'POST', url: '/v1/locations', payload: Buffer.from('{"name":"x"}') })
  t.equal(bare.status, 415, 'a body without a type')
  for (const type of ['application/json', 'APPLICATION/JSON;charset=UTF-8', 'application/json; charset="utf-8"'])
    t.equal((await client.post('/v1/locations', '{"name":"x"}', { 'content-type': type })).status, 201, type)
})

t.test('answers OPTIONS that is no preflight without a body', async (t) => {
  const response = await http.inject({ method: 'OPTIONS', url: '/v1/orders' })
  t.equal(response.statusCode, 204)
  t.equal(response.payload, '')
})

t.test('refuses credentials of another form', async (t) => {
  for (const authorization of ['Basic abc', 'Bearer', 'Bearer a b', `bearer${h.tenant.key}`, '']) {
    const answer = await client.get('/v1/me', { authorization })
    t.match(answer, { status: 401, body: { error: { code: 'UNAUTHORIZED' } } }, authorization)
    t.match(answer.headers['www-authenticate'], /^Bearer /)
  }
  t.equal((await client.get('/v1/me', { authorization: `BEARER  ${h.tenant.key} ` })).status, 200)
  const wrong = await client.send({
    method: 'GET',
    url: '/openapi.json',
    headers: { authorization: 'Bearer sk_live_1' },
  })
  t.equal(wrong.status, 401, 'a credential that is presented must be valid, on public pages too')
})
