import t from 'tap'
import { harness } from '#test/harness.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const h = await harness(t)
const client = h.as(h.tenant.key)
const url = 'https://hooks.shop.example/purser'
const base = '/v1/webhook-endpoints'
const ifMatch = (version: number | string) => ({ 'if-match': `"${version}"` })
const remove = (id: string, headers = {}, from = client) =>
  from.send({ method: 'DELETE', url: `${base}/${id}`, headers: { 'if-match': '*', ...headers } })
const created = async (body: object = {}, from = client) => (await from.post(base, { url, ...body })).body.data
const eventsOf = async (id: string) =>
  (await h.db.query('select type, changed, data from ledger where resource_id = $1 order by id', [id])).rows
t.afterEach(() => h.db.query(`update webhook_endpoints set archived_at = now() where archived_at is null`))

t.test('registers an endpoint and shows its secret once', async (t) => {
  const answer = await client.post(base, { url, description: 'Shop', types: ['order.*', 'stock.low'] })
  t.equal(answer.status, 201, answer.text)
  const { secret, previousSecretExpiresAt, ...endpoint } = answer.body.data
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  t.equal(previousSecretExpiresAt, null)
  t.match(endpoint, {
    url,
    types: ['order.*', 'stock.low'],
    state: 'active',
    ordering: 'none',
    maxConcurrency: 5,
    version: 1,
  })
  t.ok(answer.headers.location?.endsWith(`${base}/${endpoint.id}`))
  t.same((await client.get(`${base}/${endpoint.id}`)).body.data, endpoint)
  t.same((await client.get(base)).body.data, [endpoint])
  t.same((await created()).types, ['*'], 'all events if nothing is said')
  t.same(await eventsOf(endpoint.id), [{ type: 'webhook.endpointCreated', changed: [], data: endpoint }])
})

t.test('refuses a type that is none, and says what may have been meant', async (t) => {
  const answer = await client.post(base, { url, types: ['order.*', 'order.palced', 'orders.*'] })
  t.equal(answer.status, 422)
  t.match(answer.body.errors, [
    { pointer: '/types/1', code: 'NOT_ALLOWED', suggestion: 'order.placed' },
    { pointer: '/types/2', code: 'NOT_ALLOWED', suggestion: 'order.*' },
  ])
})

t.test('refuses a URL that does not lead to the public Internet', async (t) => {
  const cases = {
    SCHEME_NOT_ALLOWED: 'http://hooks.shop.example/',
    PORT_NOT_ALLOWED: 'https://hooks.shop.example:8080/',
    USERINFO_NOT_ALLOWED: `https://${'user:pass'}@hooks.shop.example/`,
    ADDRESS_NOT_PUBLIC: 'https://inside.shop.example/',
    URL_MALFORMED: 'hooks.shop.example',
  }
  const { id } = await created()
  for (const [code, refused] of Object.entries(cases))
    for (const answer of [
      await client.post(base, { url: refused }),
      await client.patch(`${base}/${id}`, { url: refused }, ifMatch(1)),
    ]) {
      t.match(answer.body, { status: 422, error: { code: 'WEBHOOK_URL_REFUSED' } }, refused)
      t.match(answer.body.errors, [{ field: 'url', pointer: '/url', code }])
    }
  for (const literal of ['https://127.0.0.1/', 'https://[::1]/', 'https://2130706433/', 'https://169.254.169.254/'])
    t.equal((await client.post(base, { url: literal })).body.error.code, 'WEBHOOK_URL_REFUSED', literal)
  t.equal((await client.patch(`${base}/${id}`, { url: 'http://x' }, ifMatch(9))).status, 412, 'the version comes first')
})

t.test('changes what is given, under the version that was read', async (t) => {
  const { id } = await created({ types: ['order.*'] })
  t.equal((await client.patch(`${base}/${id}`, { types: ['*'] })).status, 428)
  t.equal((await client.patch(`${base}/${id}`, { types: ['*'] }, ifMatch(2))).status, 412)
  const change = { types: ['*'], ordering: 'perResource', maxConcurrency: 1, metadata: { team: 'a' } }
  const changed = await client.patch(`${base}/${id}`, change, ifMatch(1))
  t.match(changed.body.data, { ...change, url, version: 2 })
  const same = await client.patch(`${base}/${id}`, change, ifMatch(2))
  t.equal(same.body.data.version, 2, 'nothing changed, nothing written')
  const [, updated, ...none] = await eventsOf(id)
  t.match(updated, { type: 'webhook.endpointUpdated', changed: ['types', 'ordering', 'maxConcurrency', 'metadata'] })
  t.same(none, [])
})

t.test('is disabled and enabled again, and what waits is cancelled', async (t) => {
  const { id } = await created()
  const delivery = (await client.post(`${base}/${id}/test`)).body.data
  const disabled = await client.post(`${base}/${id}/disable`)
  t.match(disabled.body.data, { state: 'disabled', disabledReason: 'manual', version: 2 })
  t.equal((await client.post(`${base}/${id}/disable`)).body.data.version, 2, 'once more changes nothing')
  t.equal((await client.get(`/v1/webhook-deliveries/${delivery.id}`)).body.data.state, 'cancelled')
  t.equal((await client.post(`${base}/${id}/enable`, {}, ifMatch(1))).status, 412)
  const enabled = await client.post(`${base}/${id}/enable`, {}, ifMatch(2))
  t.match(enabled.body.data, { state: 'active', disabledReason: null, version: 3 })
  t.equal((await client.post(`${base}/${id}/enable`)).body.data.version, 3)
  await h.db.query(
    `update webhook_endpoints set state = 'failing', failing_since = now(), next_probe_at = now(), probe_count = 2 where id = $1`,
    [id],
  )
  t.match((await client.get(`${base}/${id}`)).body.data, { state: 'failing', failingSince: /^20/ })
  t.match((await client.post(`${base}/${id}/enable`)).body.data, { state: 'active', failingSince: null, version: 4 })
})

t.test('is deleted for good, and its deliveries stay', async (t) => {
  const { id } = await created()
  const delivery = (await client.post(`${base}/${id}/test`)).body.data
  t.equal((await client.send({ method: 'DELETE', url: `${base}/${id}` })).status, 428)
  const answer = await remove(id, ifMatch(1))
  t.equal(answer.status, 204)
  t.equal(answer.text, '')
  for (const gone of [
    await client.get(`${base}/${id}`),
    await remove(id),
    await client.post(`${base}/${id}/enable`),
    await client.post(`${base}/${id}/rotate-secret`),
    await client.patch(`${base}/${id}`, { types: ['*'] }, ifMatch(2)),
  ])
    t.equal(gone.body.error.code, 'WEBHOOK_ENDPOINT_NOT_FOUND')
  t.same((await client.get(base)).body.data, [])
  t.match((await client.get(`/v1/webhook-deliveries/${delivery.id}`)).body.data, {
    id: delivery.id,
    state: 'cancelled',
  })
  const secrets = await h.db.query('select from webhook_secrets where endpoint_id = $1 and expires_at > now()', [id])
  t.equal(secrets.rowCount, 0, 'no secret of it signs any more')
  t.match((await eventsOf(id)).at(-1), { type: 'webhook.endpointDeleted', data: { id, state: 'disabled' } })
})

t.test('an organization has 50 at most, however many come at once', async (t) => {
  const { id: first } = await created()
  await h.db.query(
    `insert into webhook_endpoints (organization_id, id, principal_id, url, types, created_at, updated_at)
     select organization_id, 'whe_' || lpad(n::text, 26, '0'), principal_id, url, types, created_at, updated_at
     from webhook_endpoints, generate_series(1, 46) n where id = $1`,
    [first],
  )
  const made = await Promise.all(Array.from({ length: 6 }, () => persist(() => client.post(base, { url }))))
  t.same(tally(made), { 201: 3, '409 TOO_MANY_WEBHOOK_ENDPOINTS': 3 })
  const other = await h.otherTenant()
  t.equal((await h.as(other.key).post(base, { url })).status, 201, 'others have their own')
  await remove(first)
  t.equal((await client.post(base, { url })).status, 201, 'one that is deleted makes room')
})

t.test('needs the right to read what is sent', async (t) => {
  const blind = h.as(await h.tenant.keyWith(['webhooks:write', 'webhooks:read']))
  t.equal((await blind.post(base, { url })).body.error.code, 'SCOPE_NOT_HELD')
  const { id } = await created()
  t.equal((await blind.patch(`${base}/${id}`, { url }, ifMatch(1))).body.error.code, 'SCOPE_NOT_HELD')
  t.equal((await blind.post(`${base}/${id}/disable`)).status, 200)
})

t.test('a key that is bound to sources has endpoints that are bound to them, and knows of no others', async (t) => {
  const bound = async (allowedSources: readonly string[]) => {
    const scopes = ['webhooks:read', 'webhooks:write', 'events:read']
    return h.as((await client.post('/v1/api-keys', { name: 'bound', scopes, allowedSources })).body.data.secret)
  }
  const [shop, market] = [await bound(['shop', 'pos']), await bound(['market'])]
  const own = await created({}, shop)
  t.same(own.allowedSources, ['shop', 'pos'], 'its own, if it says nothing')
  t.same((await created({ allowedSources: ['pos'] }, shop)).allowedSources, ['pos'])
  for (const allowedSources of [['market'], ['shop', 'market'], []])
    t.equal((await shop.post(base, { url, allowedSources })).body.error.code, 'SOURCE_NOT_HELD')
  t.equal(
    (await shop.patch(`${base}/${own.id}`, { allowedSources: [] }, ifMatch(1))).body.error.code,
    'SOURCE_NOT_HELD',
  )
  const unbound = await created()
  const delivery = (await client.post(`${base}/${unbound.id}/test`)).body.data
  const absent = await shop.get(`${base}/whe_01jd0000000000000000000000`)
  for (const [from, id] of [
    [shop, unbound.id],
    [market, own.id],
  ] as const) {
    t.same(refusalOf(await from.get(`${base}/${id}`)), refusalOf(absent))
    t.same(refusalOf(await from.post(`${base}/${id}/disable`)), refusalOf(absent))
    t.same(refusalOf(await from.post(`${base}/${id}/test`)), refusalOf(absent))
    t.same(refusalOf(await from.post(`${base}/${id}/replay`, {})), refusalOf(absent))
  }
  t.same((await market.get(base)).body.data, [])
  t.equal((await shop.get(base)).body.data.length, 2)
  t.equal((await shop.get(`/v1/webhook-deliveries/${delivery.id}`)).status, 404)
  t.equal((await shop.post(`/v1/webhook-deliveries/${delivery.id}/replay`)).status, 404)
  t.same((await shop.get('/v1/webhook-deliveries')).body.data, [])
})

t.test('of two that change it at once, one has to look again', async (t) => {
  const { id } = await created()
  const answers = await Promise.all(
    [1, 2, 3].map((maxConcurrency) => client.patch(`${base}/${id}`, { maxConcurrency }, ifMatch(1))),
  )
  t.same(answers.map(({ status }) => status).sort(), [200, 412, 412])
})
