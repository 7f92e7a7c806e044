import { randomUUID } from 'node:crypto'
import t from 'tap'
import { contended } from '#test/contention.ts'
import type { Answer } from '#test/http-client.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db, deadlocks } = await contended(t, 12)
const operator = as(tenant.key)
const stranger = await otherTenant()
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const line = (sku: string, quantity = 1) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })
const batch = (orders: readonly object[], headers = {}) => operator.post('/v1/orders/batch', { orders }, headers)
const outcomesOf = ({ body }: Answer): string[] =>
  body.data.results.map(
    (result: { status: string; problem?: { code: string } }) => result.problem?.code ?? result.status,
  )
const countOf = async (): Promise<number> => Number((await db.query('select count(*) from orders')).rows[0].count)
const reservedOf = async (sku: string): Promise<number> =>
  (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data.reserved

await tenant.stock([
  { sku: 'MUG', price: 250, onHand: 100_000 },
  { sku: 'FEW', price: 100, onHand: 10 },
  { sku: 'ONE', price: 100, onHand: 1 },
  { sku: 'NONE', price: 100 },
  { sku: 'POST', price: 395, stockPolicy: 'untracked' },
])

t.test('places every order as placing it alone would', async (t) => {
  const alone = (await operator.post('/v1/orders', onAccount(line('MUG', 2), line('POST')))).body.data
  const answer = await batch([onAccount(line('MUG', 2), line('POST')), { lines: [line('MUG')] }])
  t.equal(answer.status, 200)
  const [first, second] = answer.body.data.results
  t.same(outcomesOf(answer), ['placed', 'placed'])
  const { id, number, placedAt, confirmedAt, createdAt, updatedAt } = first.order
  const lines = alone.lines.map((each: object, index: number) => ({ ...each, id: first.order.lines[index].id }))
  t.strictSame(first.order, { ...alone, id, number, placedAt, confirmedAt, createdAt, updatedAt, lines })
  t.match(second.order, { status: 'pending', version: 1, paymentTerms: 'prepaid' })
  t.strictSame((await operator.get(`/v1/orders/${id}`)).body.data, first.order)
})

t.test('refuses each order for its own reason, and places the others', async (t) => {
  const before = await countOf()
  const priced = { ...line('MUG'), discount: { amount: 251, currency: 'GBP' } }
  const answer = await batch([
    onAccount(line('MUG')),
    onAccount(line('MUG'), line('NONE')),
    onAccount(line('absent')),
    onAccount(priced),
    { ...onAccount(line('MUG')), currency: 'EUR' },
    onAccount(line('MUG')),
  ])
  t.same(outcomesOf(answer), ['placed', 'OUT_OF_STOCK', 'UNKNOWN_SKU', 'DISCOUNT_TOO_LARGE', 'PRICE_MISSING', 'placed'])
  t.equal(await countOf(), before + 2)
  t.strictSame(answer.body.data.results[1].problem, {
    status: 409,
    code: 'OUT_OF_STOCK',
    title: 'Not enough stock to place the order',
    detail: 'SKU NONE: 1 requested, 0 available',
    retryable: false,
    errors: [
      {
        field: 'orders[1].lines[1].quantity',
        pointer: '/orders/1/lines/1/quantity',
        code: 'OUT_OF_STOCK',
        message: 'SKU NONE: 1 requested, 0 available',
      },
    ],
  })
})

t.test('serves its orders in their order: what is left goes to whom it is enough for', async (t) => {
  const answer = await batch([6, 5, 4, 1].map((quantity) => onAccount(line('FEW', quantity), line('MUG'))))
  t.same(outcomesOf(answer), ['placed', 'OUT_OF_STOCK', 'placed', 'OUT_OF_STOCK'])
  t.match(answer.body.data.results[1].problem, { detail: 'SKU FEW: 5 requested, 4 available' })
  t.match(answer.body.data.results[3].problem, { detail: 'SKU FEW: 1 requested, 0 available' })
  t.equal(await reservedOf('FEW'), 10)
})

t.test('an order that is refused takes nothing from those after it', async (t) => {
  const twice = { source: 'shop', externalId: 'B-1' }
  const answer = await batch([
    { ...onAccount(line('ONE'), line('NONE')), ...twice },
    { ...onAccount(line('ONE')), ...twice },
  ])
  t.same(outcomesOf(answer), ['OUT_OF_STOCK', 'placed'])
})

t.test('refuses the later of two with the same source and external id, and those that exist', async (t) => {
  const external = (externalId: string) => ({ ...onAccount(line('MUG')), source: 'shop', externalId })
  const first = await operator.post('/v1/orders', external('B-2'))
  const answer = await batch([external('B-2'), external('B-3'), external('B-3'), external('b-3')])
  t.same(outcomesOf(answer), ['DUPLICATE_EXTERNAL_ID', 'placed', 'DUPLICATE_EXTERNAL_ID', 'placed'])
  const { results } = answer.body.data
  t.match(results[0].problem.detail, first.body.data.id)
  t.match(results[2].problem.detail, results[1].order.id)
})

t.test('what may wait is backordered in the order of the batch, and refuses nothing', async (t) => {
  await tenant.stock([{ sku: 'WAIT', onHand: 3, stockPolicy: 'backorder' }])
  const answer = await batch([
    onAccount(line('WAIT', 2)),
    onAccount(line('WAIT', 1), line('NONE')),
    onAccount(line('WAIT', 2)),
    onAccount(line('WAIT', 4)),
  ])
  t.same(outcomesOf(answer), ['placed', 'OUT_OF_STOCK', 'placed', 'placed'])
  const waiting = [0, 2, 3].map((index) => answer.body.data.results[index].order.lines[0].quantityBackordered)
  t.same(waiting, [0, 1, 4])
})

t.test('a batch of which nothing can be placed is answered all the same, and writes nothing', async (t) => {
  const before = await countOf()
  const answer = await batch([onAccount(line('absent')), onAccount(line('NONE'))])
  t.equal(answer.status, 200)
  t.same(outcomesOf(answer), ['UNKNOWN_SKU', 'OUT_OF_STOCK'])
  t.equal(await countOf(), before)
})

t.test('takes 500 orders, and no more', async (t) => {
  const answer = await batch(Array.from({ length: 500 }, () => onAccount(line('MUG'))))
  t.equal(answer.status, 200)
  t.ok(outcomesOf(answer).every((outcome) => outcome === 'placed'))
  const numbers = new Set(answer.body.data.results.map(({ order }: { order: { number: string } }) => order.number))
  t.equal(numbers.size, 500)
  t.same(tally([await batch(Array.from({ length: 501 }, () => onAccount(line('MUG'))))]), {
    '422 VALIDATION_FAILED': 1,
  })
  t.same(tally([await batch([])]), { '422 VALIDATION_FAILED': 1 })
})

t.test('an order that does not match the schema refuses the batch, naming it', async (t) => {
  const before = await countOf()
  const answer = await batch([onAccount(line('MUG')), onAccount(line('MUG', 0))])
  t.equal(answer.status, 422)
  t.match(answer.body.errors, [{ pointer: '/orders/1/lines/0/quantity', code: 'TOO_SMALL' }])
  t.equal(await countOf(), before)
})

t.test('refuses a body larger than 1 MiB', async (t) => {
  const notes = 'x'.repeat(2_000)
  const orders = Array.from({ length: 500 }, () => ({
    ...onAccount(line('MUG')),
    notes,
    metadata: { notes: 'y'.repeat(200) },
  }))
  t.same(tally([await batch(orders)]), { '413 PAYLOAD_TOO_LARGE': 1 })
})

t.test('is for holders of orders:write; each order is held to the rights of the caller', async (t) => {
  const orders = [onAccount({ ...line('MUG'), unitPrice: gbp(1) }), onAccount(line('MUG'))]
  const reader = as(await tenant.keyWith(['orders:read', 'orders:price']))
  t.same(tally([await reader.post('/v1/orders/batch', { orders })]), { '403 FORBIDDEN': 1 })
  const shop = as(await tenant.keyWith(['orders:write']))
  t.same(outcomesOf(await shop.post('/v1/orders/batch', { orders })), ['PRICE_NOT_ALLOWED', 'placed'])
  const theirs = await as(stranger.key).post('/v1/orders/batch', { orders })
  t.same(outcomesOf(theirs), ['UNKNOWN_SKU', 'UNKNOWN_SKU'])
})

t.test('needs an Idempotency-Key; a retry with the same one repeats the answer, refusals included', async (t) => {
  const orders = [onAccount(line('MUG')), onAccount(line('LATER'))]
  t.same(tally([await batch(orders, { 'idempotency-key': '' })]), { '400 IDEMPOTENCY_KEY_REQUIRED': 1 })
  const key = { 'idempotency-key': randomUUID() }
  const first = await batch(orders, key)
  const before = await countOf()
  await tenant.stock([{ sku: 'LATER', onHand: 5 }])
  const retry = await batch(orders, key)
  t.equal(retry.data, first.data)
  t.equal(retry.headers['idempotency-replayed'], 'true')
  t.equal(await countOf(), before)
  t.same(tally([await batch([onAccount(line('MUG'))], key)]), { '422 IDEMPOTENCY_KEY_REUSED': 1 })
})

t.test('batches and orders at once sell what there is and no more, and never wait in a circle', async (t) => {
  const skus = ['C0', 'C1', 'C2', 'C3']
  await tenant.stock(skus.map((sku) => ({ sku, onHand: 100 })))
  const lines = (turn: number) => skus.map((_, index) => line(skus[(index + turn) % 4] ?? ''))
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, turn) =>
      turn % 2 === 0
        ? persist(() => batch(Array.from({ length: 20 }, (_, index) => onAccount(...lines(turn + index)))))
        : persist(() => operator.post('/v1/orders', onAccount(...lines(turn)))),
    ),
  )
  t.ok(answers.every(({ status }) => status === 200 || status === 201 || status === 409))
  for (const sku of skus) t.equal(await reservedOf(sku), 100, sku)
  t.same(deadlocks(), [])
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
