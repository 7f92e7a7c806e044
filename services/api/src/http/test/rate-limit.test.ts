import t from 'tap'
import { harness } from '#test/harness.ts'
import type { Client } from '#test/http-client.ts'

const statuses = async (times: number, send: () => ReturnType<Client['get']>) => {
  const answers = []
  for (let sent = 0; sent < times; sent++) answers.push(await send())
  return answers
}

t.test('each key has its own allowance, which every answer tells', async (t) => {
  const { as, tenant } = await harness(t, { env: { RATE_LIMIT_PER_KEY: '4' } })
  const client = as(tenant.key)
  const answers = [
    await client.get('/v1/me'),
    await client.get('/v1/orders?limit=0'),
    await client.post('/v1/orders', '{', { 'content-type': 'application/json' }),
    await client.get('/v1/nowhere'),
    await client.get('/v1/me'),
  ]
  t.same(
    answers.map(({ status }) => status),
    [200, 422, 400, 404, 429],
  )
  t.same(
    answers.map(({ headers }) => Number(headers['ratelimit-remaining'])),
    [3, 2, 1, 0, 0],
  )
  for (const { headers } of answers) {
    t.equal(String(headers['ratelimit-limit']), '4')
    const reset = Number(headers['ratelimit-reset'])
    t.ok(reset > 0 && reset <= 60, `${reset} s`)
  }
  const refused = answers[4]
  t.match(refused, { body: { retryable: true, error: { code: 'RATE_LIMITED' } } })
  t.equal(refused?.headers['retry-after'], String(refused?.headers['ratelimit-reset']))
  t.equal((await as(await tenant.keyWith(['orders:read'])).get('/v1/me')).status, 200, 'another key is not affected')
  t.equal((await as().get('/health/ready')).status, 200, 'health is exempt')
  t.equal((await as().get('/health/ready')).headers['ratelimit-limit'], undefined)
})

t.test("a key's own limit goes before the default", async (t) => {
  const { as, tenant } = await harness(t, { env: { RATE_LIMIT_PER_KEY: '1000' } })
  const created = await as(tenant.key).post('/v1/api-keys', {
    name: 'slow',
    scopes: ['orders:read'],
    rateLimitPerMinute: 2,
  })
  const slow = as(created.body.data.secret)
  const answers = await statuses(3, () => slow.get('/v1/me'))
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 429],
  )
  t.equal(answers[0]?.body.data.limits.requestsPerMinute, 2)
  t.equal((await as(tenant.key).get('/v1/me')).body.data.limits.requestsPerMinute, 1000)
})

t.test('without a key an address has an allowance', async (t) => {
  const { as } = await harness(t, { env: { RATE_LIMIT_ANONYMOUS: '3' } })
  const from = (remoteAddress: string) => as().send({ method: 'GET', url: '/problems', remoteAddress })
  t.same(
    (await statuses(4, () => from('10.1.1.1'))).map(({ status }) => status),
    [200, 200, 200, 429],
  )
  t.equal((await from('10.1.1.2')).status, 200)
})

t.test('refused credentials are counted by address; beyond the limit none is looked at any more', async (t) => {
  const { as, tenant } = await harness(t, { env: { RATE_LIMIT_FAILED_AUTHENTICATION: '3' } })
  const from = (remoteAddress: string, key: string) => as(key).send({ method: 'GET', url: '/v1/me', remoteAddress })
  const wrong = await statuses(4, () => from('10.2.2.1', 'sk_live_wrong'))
  t.same(
    wrong.map(({ status }) => status),
    [401, 401, 401, 429],
  )
  t.ok(wrong[3]?.headers['retry-after'])
  t.equal((await from('10.2.2.1', tenant.key)).status, 429, 'a valid key from there has to wait as well')
  t.equal((await from('10.2.2.2', tenant.key)).status, 200)
  const valid = await statuses(6, () => from('10.2.2.3', tenant.key))
  t.ok(
    valid.every(({ status }) => status === 200),
    'what is accepted is not counted',
  )
})

t.test('each of N processes takes an Nth of every limit', async (t) => {
  const env = { RATE_LIMIT_PROCESSES: '4', RATE_LIMIT_PER_KEY: '10', RATE_LIMIT_ANONYMOUS: '3' }
  const { as, tenant } = await harness(t, { env })
  const answers = await statuses(3, () => as(tenant.key).get('/v1/me'))
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 429],
    '10 / 4, rounded down',
  )
  t.equal(String(answers[0]?.headers['ratelimit-limit']), '2')
  t.same(
    (await statuses(2, () => as().get('/problems'))).map(({ status }) => status),
    [200, 429],
    'at least one',
  )
})
