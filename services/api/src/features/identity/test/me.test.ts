import t from 'tap'
import { scopes } from '#platform/scopes.ts'
import { harness } from '#test/harness.ts'
import { tally } from '#test/persistence.ts'

const { as, tenant } = await harness(t, { env: { RATE_LIMIT_PER_KEY: '4321' } })

t.test('tells who is calling, what for and how often', async (t) => {
  const { status, body } = await as(tenant.key).get('/v1/me')
  t.equal(status, 200)
  const { data } = body
  const { body: organization } = await as(tenant.key).get('/v1/organization')
  const { body: apiKey } = await as(tenant.key).get(`/v1/api-keys/${tenant.keyId}`)
  const { lastUsedAt: _before, ...lasting } = data.apiKey
  t.match(apiKey.data, lasting)
  t.strictSame(data, {
    type: 'apiKey',
    principalId: apiKey.data.principalId,
    scopes: [...scopes],
    limits: { requestsPerMinute: 4_321 },
    apiKey: data.apiKey,
    organization: organization.data,
  })
  t.equal(data.organization.id, tenant.organizationId)
})

t.test('is for every credential, whatever its scopes, and names the limit of the key', async (t) => {
  const created = await as(tenant.key).post('/v1/api-keys', {
    name: 'slow',
    scopes: ['orders:price'],
    rateLimitPerMinute: 7,
  })
  const { status, body } = await as(created.body.data.secret).get('/v1/me')
  t.equal(status, 200)
  t.match(body.data, { scopes: ['orders:price'], limits: { requestsPerMinute: 7 }, apiKey: { name: 'slow' } })
})

t.test('needs a credential', async (t) => {
  t.same(tally([await as().get('/v1/me')]), { '401 UNAUTHORIZED': 1 })
})
