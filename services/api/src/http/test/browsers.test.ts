import t from 'tap'
import { parse } from 'yaml'
import { harness } from '#test/harness.ts'

const h = await harness(t, { env: { CORS_ORIGINS: 'https://shop.example, http://localhost:5173' } })
const client = h.as(h.tenant.key)
const anonymous = h.as()
const preflight = (origin: string) =>
  h.app.http.inject({
    method: 'OPTIONS',
    url: '/v1/orders',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,idempotency-key,content-type',
    },
  })

t.test('only the configured origins may read answers', async (t) => {
  for (const origin of ['https://shop.example', 'http://localhost:5173']) {
    const { headers } = await client.get('/v1/me', { origin })
    t.equal(headers['access-control-allow-origin'], origin)
    t.match(headers.vary, /\bOrigin\b/)
    t.match(headers['access-control-expose-headers'], /etag.*idempotency-replayed.*x-request-id.*ratelimit-reset/)
    t.equal(headers['access-control-allow-credentials'], undefined)
  }
  const strangers = ['https://evil.example', 'https://shop.example.evil.example', 'http://shop.example', 'null', '*']
  for (const origin of strangers) {
    const { headers } = await client.get('/v1/me', { origin })
    t.equal(headers['access-control-allow-origin'], undefined, origin)
    t.match(headers.vary, /\bOrigin\b/, 'no cache may mix them up')
  }
  const refused = await h.as().get('/v1/me', { origin: 'https://shop.example' })
  t.equal(refused.headers['access-control-allow-origin'], 'https://shop.example', 'a page may read refusals too')
})

t.test('answers a preflight before authentication', async (t) => {
  const allowed = await preflight('https://shop.example')
  t.equal(allowed.statusCode, 204)
  t.equal(allowed.headers['access-control-allow-origin'], 'https://shop.example')
  t.match(allowed.headers['access-control-allow-methods'], /POST.*PATCH.*DELETE/)
  for (const name of ['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match', 'traceparent'])
    t.match(allowed.headers['access-control-allow-headers'], name)
  t.equal(allowed.headers['access-control-max-age'], '600')
  const stranger = await preflight('https://evil.example')
  t.equal(stranger.headers['access-control-allow-origin'], undefined)
})

t.test('sends security headers with every answer', async (t) => {
  const answers = [
    await client.get('/v1/me'),
    await anonymous.get('/v1/me'),
    await client.get('/v1/nowhere'),
    await anonymous.get('/health/live'),
    await anonymous.get('/openapi.json'),
  ]
  for (const { headers } of answers) {
    t.equal(headers['content-security-policy'], "default-src 'none';frame-ancestors 'none'")
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.equal(headers['x-frame-options'], 'SAMEORIGIN')
    t.equal(headers['referrer-policy'], 'no-referrer')
    t.equal(headers['cross-origin-resource-policy'], 'same-origin')
    t.equal(headers['x-powered-by'], undefined)
    t.equal(headers['strict-transport-security'], undefined, 'not before production')
  }
})

t.test('in production browsers are told to stay on https', async (t) => {
  const env = { NODE_ENV: 'production', SIGNING_SECRET: 'a secret for this test alone', CORS_ORIGINS: 'none' }
  const { as } = await harness(t, { env })
  const { headers } = await as().get('/health/live', { origin: 'https://shop.example' })
  t.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains')
  t.equal(headers['access-control-allow-origin'], undefined)
})

t.test('pages allow no script at all, the Swagger UI its own files only', async (t) => {
  for (const url of ['/', '/problems', '/problems/out-of-stock']) {
    const { status, headers, text } = await anonymous.get(url)
    t.equal(status, 200)
    t.match(headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/)
    t.notMatch(text, /<script|\son\w+=|style="/, url)
  }
  for (const url of ['/docs', '/docs/']) {
    const { status, headers, text } = await anonymous.get(url)
    t.equal(status, 200, url)
    t.match(headers['content-security-policy'], /script-src 'self'; style-src 'self'/)
    t.notMatch(headers['content-security-policy'], /unsafe|\*/)
    t.notMatch(text, /<script(?![^>]*\ssrc=)[^>]*>\s*\S/, 'no inline script')
    for (const [, source = ''] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const asset = await anonymous.get(new URL(source, 'http://x/docs/').pathname)
      t.equal(asset.status, 200, source)
    }
  }
})

t.test('the landing page leads to everything there is', async (t) => {
  const { text, headers } = await anonymous.get('/')
  t.match(headers['content-type'], 'text/html; charset=utf-8')
  t.match(text, '@purser/sdk')
  for (const [, href = ''] of text.matchAll(/href="([^"]+)"/g)) t.equal((await anonymous.get(href)).status, 200, href)
})

t.test('publishes one document in two notations', async (t) => {
  const json = await anonymous.get('/openapi.json')
  t.match(json.headers['content-type'], 'application/json')
  t.equal(json.body.openapi, '3.1.0')
  t.ok(json.body.paths['/v1/orders'].post['x-idempotency'] === 'required')
  const yaml = await anonymous.get('/openapi.yaml')
  t.match(yaml.headers['content-type'], 'application/yaml')
  t.same(parse(yaml.text), json.body)
  t.match(yaml.text, /^openapi: 3\.1\.0$/m)
})
