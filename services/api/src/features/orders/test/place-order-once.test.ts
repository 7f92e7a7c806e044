import { randomUUID } from 'node:crypto'
import t from 'tap'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const line = (sku: string, quantity: number) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })
const keyed = (key: string) => ({ 'idempotency-key': key })
const ordersOf = async (organizationId: string) =>
  Number((await db.query('select count(*) from orders where organization_id = $1', [organizationId])).rows[0].count)

await tenant.stock([{ sku: 'MUG', onHand: 1_000_000 }, { sku: 'RARE' }])

t.test('answers a retry with the first answer, byte by byte, and places nothing', async (t) => {
  const key = randomUUID()
  const first = await operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  const orders = await ordersOf(tenant.organizationId)
  const retry = await operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  t.equal(retry.status, 201)
  t.equal(retry.data, first.data)
  t.equal(retry.headers.etag, first.headers.etag)
  t.equal(retry.headers.location, first.headers.location)
  t.equal(first.headers['idempotency-replayed'], undefined)
  t.equal(retry.headers['idempotency-replayed'], 'true')
  t.not(retry.body.meta.requestId, first.body.meta.requestId)
  t.equal(await ordersOf(tenant.organizationId), orders)
})

t.test('answers a retry as it was, also when the order has moved on', async (t) => {
  const key = randomUUID()
  const first = await operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  await operator.post(`/v1/orders/${first.body.data.id}/cancel`, {})
  const retry = await operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  t.equal(retry.data, first.data)
  t.equal(retry.body.data.status, 'confirmed')
})

t.test('takes the same request in another spelling for the same', async (t) => {
  const key = randomUUID()
  const first = await operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  const respelled = '{ "lines": [ { "quantity": 1.0e0, "sku": "\\u004dUG" } ], "paymentTerms": "onAccount" }'
  const retry = await operator.send({
    method: 'POST',
    url: '/v1/orders',
    headers: { 'content-type': 'application/json', ...keyed(`"${key}"`) },
    payload: respelled,
  })
  t.equal(retry.status, 201)
  t.equal(retry.data, first.data)
})

t.test('refuses the key for another body or another operation', async (t) => {
  const key = randomUUID()
  const first = await operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  for (const body of [
    onAccount(line('MUG', 2)),
    onAccount(line('MUG', 1), line('MUG', 1)),
    { ...onAccount(line('MUG', 1)), metadata: {} },
  ]) {
    const other = await operator.post('/v1/orders', body, keyed(key))
    t.equal(other.status, 422)
    t.equal(other.body.error.code, 'IDEMPOTENCY_KEY_REUSED')
  }
  const cancelling = await operator.post(`/v1/orders/${first.body.data.id}/cancel`, {}, keyed(key))
  t.equal(cancelling.body.error.code, 'IDEMPOTENCY_KEY_REUSED')
})

t.test('forgets a refusal: the same request succeeds after the restock', async (t) => {
  const key = randomUUID()
  const refused = await operator.post('/v1/orders', onAccount(line('RARE', 1)), keyed(key))
  t.equal(refused.body.error.code, 'OUT_OF_STOCK')
  await operator.put(`/v1/stock/RARE/${tenant.locationId}`, { onHand: 1 })
  const retry = await operator.post('/v1/orders', onAccount(line('RARE', 1)), keyed(key))
  t.equal(retry.status, 201)
  t.equal(retry.headers['idempotency-replayed'], undefined)
})

t.test('keeps the keys of principals and of tenants apart', async (t) => {
  const key = randomUUID()
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'MUG', onHand: 1 }])
  const colleague = as(await tenant.keyWith(['orders:write']))
  const answers = []
  for (const client of [operator, colleague, as(stranger.key)])
    answers.push(await client.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key)))
  t.same(tally(answers), { 201: 3 })
  t.equal(new Set(answers.map(({ body }) => body.data.id)).size, 3)
  const other = await as(stranger.key).post('/v1/orders', onAccount(line('MUG', 5)), keyed(key))
  t.equal(other.body.error.code, 'IDEMPOTENCY_KEY_REUSED', 'their own, not ours')
})

t.test('knows a retry again after the API key was rotated', async (t) => {
  const key = randomUUID()
  const old = await operator.post('/v1/api-keys', { name: 'shop', scopes: ['orders:write'] })
  const first = await as(old.body.data.secret).post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  const rotated = await operator.post(`/v1/api-keys/${old.body.data.id}/rotate`, {})
  const retry = await as(rotated.body.data.secret).post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))
  t.equal(retry.headers['idempotency-replayed'], 'true')
  t.equal(retry.data, first.data)
})

t.test('of fifty requests with one key at once, one places the order and all see it in the end', async (t) => {
  const before = await ordersOf(tenant.organizationId)
  const key = randomUUID()
  const atOnce = Array.from({ length: 50 }, () => operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key)))
  const first = await Promise.all(atOnce)
  const created = first.filter(({ headers, status }) => status === 201 && !headers['idempotency-replayed'])
  t.equal(created.length, 1, 'one 201 that is no replay')
  const allowed = new Set(['201', '409 IDEMPOTENCY_IN_PROGRESS', '503 DATABASE_UNAVAILABLE'])
  t.same(
    Object.keys(tally(first)).filter((outcome) => !allowed.has(outcome)),
    [],
  )
  const patient = Array.from({ length: 50 }, () =>
    persist(() => operator.post('/v1/orders', onAccount(line('MUG', 1)), keyed(key))),
  )
  const last = await Promise.all(patient)
  t.same(tally(last), { 201: 50 })
  t.same(new Set(last.map(({ data }) => data)), new Set([created[0]?.data]))
  t.equal(await ordersOf(tenant.organizationId), before + 1)
})

t.test('of fifty different requests with one key at once, one wins and the others are told', async (t) => {
  const before = await ordersOf(tenant.organizationId)
  const key = randomUUID()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      persist(() => operator.post('/v1/orders', onAccount(line('MUG', index + 1)), keyed(key))),
    ),
  )
  t.same(tally(answers), { 201: 1, '422 IDEMPOTENCY_KEY_REUSED': 49 })
  t.equal(await ordersOf(tenant.organizationId), before + 1)
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
