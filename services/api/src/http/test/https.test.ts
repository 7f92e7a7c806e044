import t from 'tap'
import { harness } from '#test/harness.ts'

t.test('in production behind a proxy, plain http is refused and health is not', async (t) => {
  const env = {
    NODE_ENV: 'production',
    TRUST_PROXY: '127.0.0.1/32',
    CORS_ORIGINS: 'none',
    SIGNING_SECRET: 'a-secret-of-this-test-alone',
  }
  const { as, tenant } = await harness(t, { env })
  const plain = await as(tenant.key).get('/v1/me', { 'x-forwarded-proto': 'http' })
  t.equal(plain.status, 403)
  t.equal(plain.body.error.code, 'HTTPS_REQUIRED')
  t.equal(
    (await as(tenant.key).get('/v1/me')).status,
    403,
    'a proxy that says nothing is not trusted to have used https',
  )
  t.equal((await as().get('/health/live', { 'x-forwarded-proto': 'http' })).status, 200)
  const secure = await as(tenant.key).get('/v1/me', { 'x-forwarded-proto': 'https' })
  t.equal(secure.status, 200)
  t.match(secure.headers['strict-transport-security'], /max-age=31536000/)
})
