import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
await tenant.stock([
  { sku: 'MUG', price: 250, onHand: 1_000 },
  { sku: 'CUP', price: 100, onHand: 1_000 },
  { sku: 'POST', price: 395, stockPolicy: 'untracked' },
])

const lines = [
  { sku: 'MUG', quantity: 4, discount: gbp(100), tax: gbp(180) },
  { sku: 'CUP', quantity: 2 },
  { sku: 'MUG', quantity: 1 },
  { sku: 'POST', quantity: 1 },
]
const place = async (more: object = {}) =>
  (await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines, ...more })).body.data
type Placed = { id: string; lines: { id: string }[] }
const cancel = (order: Placed, index: number, body: object = {}, headers = {}) =>
  operator.post(`/v1/orders/${order.id}/lines/${order.lines[index]?.id}/cancel`, body, headers)
const reservedOf = async (sku: string): Promise<number> =>
  (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data.reserved
const reservationsOf = async (orderId: string) => {
  const text = 'select sku, quantity, state from reservations where order_id = $1 order by sku'
  return (await db.query(text, [orderId])).rows
}

t.test('cancels part of a line: stock back, totals of the units that are left', async (t) => {
  const before = await reservedOf('MUG')
  const order = await place({ shipping: [{ description: 'Parcel', amount: gbp(500) }] })
  const { status, body, headers } = await cancel(order, 0, { quantity: 3, reason: 'one is enough' })
  t.equal(status, 200)
  t.match(headers.etag, /^"3\./)
  t.strictSame(body.data, {
    ...order,
    version: 3,
    updatedAt: body.data.updatedAt,
    totals: { items: gbp(1_095), discount: gbp(100), shipping: gbp(500), tax: gbp(180), total: gbp(1_675) },
    lines: [{ ...order.lines[0], quantityCancelled: 3, total: gbp(330) }, ...order.lines.slice(1)],
  })
  t.strictSame((await operator.get(`/v1/orders/${order.id}`)).body.data, body.data)
  t.equal(await reservedOf('MUG'), before + 2)
  t.same(await reservationsOf(order.id), [
    { sku: 'CUP', quantity: 2, state: 'firm' },
    { sku: 'MUG', quantity: 2, state: 'firm' },
  ])
  const movements = await db.query(
    "select sku, reserved_change from stock_movements where order_id = $1 and type = 'release'",
    [order.id],
  )
  t.same(movements.rows, [{ sku: 'MUG', reserved_change: -3 }])
  const { rows } = await db.query('select * from ledger where resource_id = $1 and resource_version = 3', [order.id])
  t.match(rows, [{ type: 'order.lineCancelled', changed: ['lines', 'totals'], personal: null }])
  t.match(rows[0].data.totals, { total: gbp(1_675) })
})

t.test('takes new amounts of discount and tax for what is left', async (t) => {
  const order = await place()
  const { body } = await cancel(order, 0, { quantity: 2, discount: gbp(50), tax: gbp(90) })
  t.match(body.data.lines[0], { quantityCancelled: 2, discount: gbp(50), tax: gbp(90), total: gbp(540) })
  t.match(body.data.totals, { items: gbp(1_345), discount: gbp(50), tax: gbp(90), total: gbp(1_385) })
})

t.test('cancels a whole line: no discount and no tax of it is left', async (t) => {
  const order = await place()
  const { body } = await cancel(order, 0)
  const none = { discount: gbp(0), tax: gbp(0), total: gbp(0) }
  t.match(body.data.lines[0], { quantity: 4, quantityCancelled: 4, ...none })
  t.match(body.data, { status: 'confirmed', totals: { items: gbp(845), discount: gbp(0), tax: gbp(0) } })
  t.same((await reservationsOf(order.id))[1], { sku: 'MUG', quantity: 1, state: 'firm' })
  const again = await cancel(body.data, 2)
  t.equal(again.status, 200)
  t.same((await reservationsOf(order.id))[1], { sku: 'MUG', quantity: 1, state: 'released' })
})

t.test('units that wait for stock are cancelled before those that are there', async (t) => {
  await tenant.stock([{ sku: 'WAIT', onHand: 3, stockPolicy: 'backorder' }])
  const lines = [
    { sku: 'WAIT', quantity: 5 },
    { sku: 'CUP', quantity: 1 },
  ]
  const order = await place({ lines })
  t.match(order.lines, [{ quantityBackordered: 2 }, {}])
  const level = async () => (await operator.get(`/v1/stock/WAIT/${tenant.locationId}`)).body.data
  t.match((await cancel(order, 0, { quantity: 1 })).body.data.lines, [
    { quantityCancelled: 1, quantityBackordered: 1 },
    {},
  ])
  t.match(await level(), { reserved: 3, backordered: 1 })
  t.match((await cancel(order, 0, { quantity: 2 })).body.data.lines, [
    { quantityCancelled: 3, quantityBackordered: 0 },
    {},
  ])
  t.match(await level(), { reserved: 2, backordered: 0 })
  t.same(
    (await reservationsOf(order.id))
      .filter(({ sku }) => sku === 'WAIT')
      .map(({ quantity, state }) => [quantity, state])
      .sort(),
    [
      [1, 'released'],
      [2, 'firm'],
    ],
  )
  t.equal((await cancel(order, 0)).status, 200)
  t.match(await level(), { reserved: 0, backordered: 0 })
})

t.test('a line of what is not tracked gives no stock back', async (t) => {
  const order = await place()
  const { status, body } = await cancel(order, 3)
  t.equal(status, 200)
  t.match(body.data.totals, { items: gbp(1_450) })
  const movements = await db.query("select from stock_movements where order_id = $1 and type = 'release'", [order.id])
  t.equal(movements.rowCount, 0)
})

t.test('cancelling the last unit cancels the order', async (t) => {
  const before = [await reservedOf('MUG'), await reservedOf('CUP')]
  const order = await place()
  for (const index of [0, 1, 3]) t.equal((await cancel(order, index)).body.data.status, 'confirmed')
  const { body } = await cancel(order, 2, { reason: 'nothing left' })
  t.match(body.data, { status: 'cancelled', version: 6, cancelReason: 'nothing left', allowedActions: [] })
  t.ok(
    body.data.lines.every(
      (line: { quantity: number; quantityCancelled: number }) => line.quantity === line.quantityCancelled,
    ),
  )
  t.same([await reservedOf('MUG'), await reservedOf('CUP')], before)
  const { rows } = await db.query('select type from ledger where resource_id = $1 and resource_version = 6', [order.id])
  t.same(rows, [{ type: 'order.cancelled' }])
})

t.test('what is left can be cancelled with the order, and gives back just that', async (t) => {
  const before = await reservedOf('MUG')
  const order = await place({ paymentTerms: 'prepaid' })
  await cancel(order, 0, { quantity: 2 })
  t.equal(await reservedOf('MUG'), before + 3)
  t.equal((await operator.post(`/v1/orders/${order.id}/cancel`, {})).status, 200)
  t.equal(await reservedOf('MUG'), before)
})

t.test('refuses more units than are left, and leaves all as it was', async (t) => {
  const order = await place()
  const tooMany = await cancel(order, 1, { quantity: 3 })
  t.same(tally([tooMany]), { '409 LINE_NOT_CANCELLABLE': 1 })
  t.equal(tooMany.body.detail, '2 left, 3 to be cancelled')
  await cancel(order, 1)
  t.same(tally([await cancel(order, 1), await cancel(order, 1, { quantity: 1 })]), { '409 LINE_NOT_CANCELLABLE': 2 })
  await db.query('update order_lines set quantity_fulfilled = 3 where id = $1', [order.lines[0].id])
  t.same(tally([await cancel(order, 0, { quantity: 2 })]), { '409 LINE_NOT_CANCELLABLE': 1 }, 'what is fulfilled')
  await db.query('update order_lines set quantity_fulfilled = 0 where id = $1', [order.lines[0].id])
})

t.test('refuses what would leave less than nothing to pay', async (t) => {
  const discounts = [{ description: 'Voucher', amount: gbp(900) }]
  const order = await place({ discounts })
  t.same(tally([await cancel(order, 0)]), { '422 DISCOUNT_TOO_LARGE': 1 }, 'of the order')
  const large = await place({
    lines: [
      { sku: 'MUG', quantity: 2, discount: gbp(400) },
      { sku: 'CUP', quantity: 9 },
    ],
  })
  t.same(tally([await cancel(large, 0, { quantity: 1 })]), { '422 DISCOUNT_TOO_LARGE': 1 }, 'of the line')
  t.equal((await cancel(large, 0, { quantity: 1, discount: gbp(200) })).status, 200)
})

t.test('refuses amounts in another currency', async (t) => {
  const answer = await cancel(await place(), 0, { quantity: 1, tax: { amount: 1, currency: 'EUR' } })
  t.same(tally([answer]), { '422 CURRENCY_MISMATCH': 1 })
  t.equal(answer.body.errors[0].pointer, '/tax')
})

t.test('only who may set prices may lower what the line owes beyond its units', async (t) => {
  const shop = as(await tenant.keyWith(['orders:write']))
  const order = await place()
  const url = `/v1/orders/${order.id}/lines/${order.lines[0].id}/cancel`
  for (const amounts of [{ discount: gbp(101) }, { tax: gbp(179) }])
    t.same(tally([await shop.post(url, { quantity: 1, ...amounts })]), { '403 PRICE_NOT_ALLOWED': 1 })
  t.equal((await shop.post(url, { quantity: 1, discount: gbp(75), tax: gbp(180) })).status, 200)
})

t.test('refuses drafts, orders that are over, and lines that are not of the order', async (t) => {
  const draft = await place({ draft: true })
  t.same(tally([await cancel(draft, 0)]), { '409 ORDER_NOT_CANCELLABLE': 1 })
  const order = await place()
  const other = await place()
  const foreign: Answer[] = [
    await operator.post(`/v1/orders/${order.id}/lines/${newId('lin')}/cancel`, {}),
    await operator.post(`/v1/orders/${order.id}/lines/${other.lines[0].id}/cancel`, {}),
  ]
  t.same(tally(foreign), { '404 LINE_NOT_FOUND': 2 })
  await operator.post(`/v1/orders/${order.id}/cancel`, {})
  t.same(tally([await cancel(order, 0)]), { '409 ORDER_NOT_CANCELLABLE': 1 })
})

t.test('refuses what does not match the schema, and a stale If-Match', async (t) => {
  const order = await place()
  for (const body of [{ quantity: 0 }, { quantity: 1.5 }, { discount: gbp(-1) }, { units: 1 }])
    t.same(tally([await cancel(order, 0, body)]), { '422 VALIDATION_FAILED': 1 })
  t.same(tally([await cancel(order, 0, {}, { 'if-match': '"1"' })]), { '412 PRECONDITION_FAILED': 1 })
})

t.test('is for holders of orders:write', async (t) => {
  const order = await place()
  const reader = as(await tenant.keyWith(['orders:read', 'orders:price']))
  const answer = await reader.post(`/v1/orders/${order.id}/lines/${order.lines[0].id}/cancel`, {})
  t.same(tally([answer]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's order as for an absent one, and leaves it", async (t) => {
  const order = await place()
  const theirs = as(stranger.key)
  const at = async (id: string) =>
    refusalOf(await theirs.post(`/v1/orders/${id}/lines/${order.lines[0].id}/cancel`, {}))
  t.same(await at(order.id), await at(newId('ord')))
  t.strictSame((await operator.get(`/v1/orders/${order.id}`)).body.data, order)
})

t.test('needs an Idempotency-Key: a retry with the same one cancels no more', async (t) => {
  const order = await place()
  t.same(tally([await cancel(order, 0, {}, { 'idempotency-key': '' })]), { '400 IDEMPOTENCY_KEY_REQUIRED': 1 })
  const key = { 'idempotency-key': randomUUID() }
  const first = await cancel(order, 0, { quantity: 1 }, key)
  const retry = await cancel(order, 0, { quantity: 1 }, key)
  t.equal(first.status, 200)
  t.equal(retry.data, first.data)
  t.match((await operator.get(`/v1/orders/${order.id}`)).body.data.lines[0], { quantityCancelled: 1 })
})

t.test('of many at once as many succeed as there are units', async (t) => {
  const order = await place()
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => persist(() => cancel(order, 0, { quantity: 1, discount: gbp(0) }))),
  )
  t.same(tally(answers), { 200: 4, '409 LINE_NOT_CANCELLABLE': 8 })
  t.equal((await reservationsOf(order.id))[1].quantity, 1)
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
