import { randomUUID } from 'node:crypto'
import t from 'tap'
import { contended } from '#test/contention.ts'
import type { Harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const line = (sku: string, quantity: number) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })

/** What a correct client sees: it repeats a busy answer with the same key. */
function placing({ as, tenant }: Harness, body: object, key: string = randomUUID()) {
  return persist(() => as(tenant.key).post('/v1/orders', body, { 'idempotency-key': key }))
}

for (const poolSize of [2, 10, 60])
  t.test(`sells the last unit to one of 200 buyers, with ${poolSize} connections`, async (t) => {
    const service = await contended(t, poolSize)
    const { as, tenant, db } = service
    await tenant.stock([{ sku: 'LAST', onHand: 1 }])
    const buyers = Array.from({ length: 200 }, () => placing(service, onAccount(line('LAST', 1))))
    t.same(tally(await Promise.all(buyers)), { 201: 1, '409 OUT_OF_STOCK': 199 })
    const level = await as(tenant.key).get(`/v1/stock/LAST/${tenant.locationId}`)
    t.match(level.body.data, { onHand: 1, reserved: 1, available: 0 })
    const { rows } = await db.query('select (select count(*) from orders) o, (select count(*) from reservations) r')
    t.same(rows, [{ o: '1', r: '1' }])
    await stockAddsUp(t, db)
    await ledgerAddsUp(t, db)
  })

const service = await contended(t, 20)
const { as, tenant, db, deadlocks } = service
const operator = as(tenant.key)

t.test('sells what is there and no more to buyers of several units', async (t) => {
  await tenant.stock([{ sku: 'FEW', onHand: 100 }])
  const buyers = Array.from({ length: 120 }, (_, index) => placing(service, onAccount(line('FEW', 1 + (index % 3)))))
  const sold = (await Promise.all(buyers))
    .filter(({ status }) => status === 201)
    .reduce((sum, { body }) => sum + body.data.lines[0].quantity, 0)
  t.ok(sold >= 98 && sold <= 100, `${sold} of 100 sold; two that are left suit nobody who asks for three`)
  const { rows } = await db.query("select reserved from stock_movements where sku = 'FEW' and type = 'reserve'")
  t.equal(new Set(rows.map(({ reserved }) => reserved)).size, rows.length, 'each movement led to a level of its own')
})

t.test('orders that name the same SKUs in opposite order never wait for each other in a circle', async (t) => {
  const skus = Array.from({ length: 12 }, (_, index) => `SKU-${String.fromCharCode(65 + index)}`)
  await tenant.stock(skus.map((sku) => ({ sku, onHand: 10_000 })))
  const ascending = onAccount(...skus.map((sku) => line(sku, 1)))
  const descending = onAccount(...skus.toReversed().map((sku) => line(sku, 1)))
  const placed = await Promise.all(
    Array.from({ length: 120 }, (_, index) => placing(service, index % 2 === 0 ? ascending : descending)),
  )
  t.same(tally(placed), { 201: 120 })
  const ends = placed.map(({ body }, index) =>
    index % 3 === 0
      ? persist(() => operator.post(`/v1/orders/${body.data.id}/cancel`, {}))
      : placing(service, index % 2 === 0 ? descending : ascending),
  )
  t.same(tally(await Promise.all(ends)), { 200: 40, 201: 80 })
  t.same(deadlocks(), [], 'no deadlock, not even one that a retry would hide')
})

t.test('of orders with one external id at the same moment one is placed, and the others are told which', async (t) => {
  await tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
  const body = { ...onAccount(line('MUG', 1)), source: 'shop', externalId: 'E-1' }
  const answers = await Promise.all(Array.from({ length: 30 }, () => placing(service, body)))
  t.same(tally(answers), { 201: 1, '409 DUPLICATE_EXTERNAL_ID': 29 })
  const placed = answers.find(({ status }) => status === 201)
  for (const { status, body } of answers) if (status === 409) t.match(body.detail, placed?.body.data.id)
})

t.test('orders, counts and deliveries at the same moment leave a level that adds up', async (t) => {
  await tenant.stock([
    { sku: 'A', onHand: 500 },
    { sku: 'B', onHand: 500 },
  ])
  const level = (sku: string, onHand: number) => ({ sku, locationId: tenant.locationId, onHand })
  const tasks = Array.from({ length: 90 }, (_, index) => {
    const key = { 'idempotency-key': randomUUID() }
    if (index % 3 === 0) return placing(service, onAccount(line('B', 1), line('A', 2)))
    if (index % 3 === 1)
      return persist(() => operator.post(`/v1/stock/A/${tenant.locationId}/adjust`, { change: 3 }, key))
    return persist(() => operator.post('/v1/stock/batch', { levels: [level('B', 500 + index), level('A', 500)] }, key))
  })
  t.same(tally(await Promise.all(tasks)), { 201: 30, 200: 60 })
  t.same(deadlocks(), [])
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
