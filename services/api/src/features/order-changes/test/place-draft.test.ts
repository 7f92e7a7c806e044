import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const customer = { name: 'Ada Canary' }
await tenant.stock([
  { sku: 'MUG', price: 250, onHand: 1_000 },
  { sku: 'ONE', price: 100, onHand: 1 },
  { sku: 'POST', price: 395, stockPolicy: 'untracked' },
])

const lines = [
  { sku: 'MUG', quantity: 2, discount: gbp(50) },
  { sku: 'POST', quantity: 1 },
]
const draft = async (more: object = {}) => {
  const { body } = await operator.post('/v1/orders', {
    draft: true,
    paymentTerms: 'onAccount',
    lines,
    customer,
    ...more,
  })
  return body.data
}
const place = (id: string, headers = {}) => operator.post(`/v1/orders/${id}/place`, undefined, headers)
const reservedOf = async (sku: string): Promise<number> =>
  (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data.reserved
const entriesOf = async (id: string) => {
  const { rows } = await db.query('select * from ledger where resource_id = $1 order by resource_version', [id])
  return rows
}

t.test('a draft is priced and kept, and reserves nothing', async (t) => {
  const before = await reservedOf('MUG')
  const order = await draft()
  t.match(order, {
    status: 'draft',
    version: 1,
    placedAt: null,
    confirmedAt: null,
    expiresAt: null,
    totals: { items: gbp(895), discount: gbp(50), total: gbp(845) },
    allowedActions: ['place', 'update', 'cancel', 'addHold'],
  })
  t.equal(await reservedOf('MUG'), before)
  const [entry, ...others] = await entriesOf(order.id)
  t.match(entry, { type: 'order.drafted', resource_version: 1, personal: { customer } })
  t.same(others, [])
})

t.test('a draft may want more than there is, and is held to prices like any order', async (t) => {
  t.equal((await draft({ lines: [{ sku: 'ONE', quantity: 50 }] })).status, 'draft')
  const wrong = await operator.post('/v1/orders', { draft: true, lines: [{ sku: 'absent', quantity: 1 }] })
  t.same(tally([wrong]), { '422 UNKNOWN_SKU': 1 })
})

t.test('placing a draft reserves its stock and confirms it, as two versions', async (t) => {
  const before = await reservedOf('MUG')
  const order = await draft()
  const { status, body, headers } = await place(order.id)
  t.equal(status, 200)
  t.match(headers.etag, /^"3\./)
  const { placedAt, updatedAt } = body.data
  t.strictSame(body.data, {
    ...order,
    status: 'confirmed',
    version: 3,
    placedAt,
    confirmedAt: placedAt,
    updatedAt,
    allowedActions: ['update', 'cancel', 'cancelLine', 'addHold'],
  })
  t.strictSame((await operator.get(`/v1/orders/${order.id}`)).body.data, body.data)
  t.equal(await reservedOf('MUG'), before + 2)
  const { rows } = await db.query('select state, quantity from reservations where order_id = $1', [order.id])
  t.same(rows, [{ state: 'firm', quantity: 2 }])
  const entries = await entriesOf(order.id)
  t.same(
    entries.map(({ type, changed }) => [type, changed]),
    [
      ['order.drafted', []],
      ['order.placed', ['status', 'placedAt', 'expiresAt']],
      ['order.confirmed', ['status', 'confirmedAt']],
    ],
  )
  t.match(entries[1], { data: { status: 'pending', version: 2, confirmedAt: null }, personal: { customer } })
})

t.test('a prepaid draft waits for payment once it is placed', async (t) => {
  const order = await draft({ paymentTerms: 'prepaid' })
  const { body } = await place(order.id)
  t.match(body.data, { status: 'pending', version: 2, confirmedAt: null })
  t.equal(Date.parse(body.data.expiresAt) - Date.parse(body.data.placedAt), 30 * 60_000)
  const { rows } = await db.query('select state, expires_at from reservations where order_id = $1', [order.id])
  t.match(rows, [{ state: 'held', expires_at: new Date(body.data.expiresAt) }])
})

t.test('keeps the prices it was drafted with', async (t) => {
  await tenant.stock([{ sku: 'PRICY', price: 100, onHand: 10 }])
  const order = await draft({ lines: [{ sku: 'PRICY', quantity: 1 }] })
  await tenant.stock([{ sku: 'PRICY', price: 900 }])
  t.match((await place(order.id)).body.data.totals, { total: gbp(100) })
})

t.test('a draft can be cancelled; nothing is given back', async (t) => {
  const before = await reservedOf('MUG')
  const order = await draft()
  const { status, body } = await operator.post(`/v1/orders/${order.id}/cancel`, { reason: 'no' })
  t.equal(status, 200)
  t.match(body.data, { status: 'cancelled', version: 2, cancelReason: 'no', allowedActions: [] })
  t.equal(await reservedOf('MUG'), before)
  t.same(tally([await place(order.id)]), { '409 ORDER_NOT_DRAFT': 1 })
})

t.test('what may wait is backordered as the draft is placed', async (t) => {
  await tenant.stock([{ sku: 'WAIT', onHand: 3, stockPolicy: 'backorder' }])
  const order = await draft({
    lines: [
      { sku: 'WAIT', quantity: 2 },
      { sku: 'MUG', quantity: 1 },
      { sku: 'WAIT', quantity: 5 },
    ],
  })
  const { body } = await place(order.id)
  t.match(body.data, {
    status: 'confirmed',
    lines: [{ quantityBackordered: 0 }, { quantityBackordered: 0 }, { quantityBackordered: 4 }],
  })
  t.strictSame((await operator.get(`/v1/orders/${order.id}`)).body.data, body.data)
})

t.test('refuses when stock is short, and leaves the draft', async (t) => {
  const order = await draft({
    lines: [
      { sku: 'MUG', quantity: 1 },
      { sku: 'ONE', quantity: 2 },
    ],
  })
  const before = await reservedOf('MUG')
  const answer = await place(order.id)
  t.same(tally([answer]), { '409 OUT_OF_STOCK': 1 })
  t.match(answer.body.errors, [{ pointer: '/lines/1/quantity', message: 'SKU ONE: 2 requested, 1 available' }])
  t.equal(await reservedOf('MUG'), before)
  t.match((await operator.get(`/v1/orders/${order.id}`)).body.data, { status: 'draft', version: 1 })
})

t.test('refuses what is not for sale any more', async (t) => {
  await tenant.stock([{ sku: 'OLD', onHand: 5 }])
  const order = await draft({ lines: [{ sku: 'OLD', quantity: 1 }] })
  await db.query("update products set status = 'archived' where sku = 'OLD'")
  t.same(tally([await place(order.id)]), { '422 UNKNOWN_SKU': 1 })
  await db.query("update products set status = 'active' where sku = 'OLD'")
})

t.test('refuses what is no draft, and a stale If-Match', async (t) => {
  const order = await draft()
  t.same(tally([await place(order.id, { 'if-match': '"2"' })]), { '412 PRECONDITION_FAILED': 1 })
  t.equal((await place(order.id, { 'if-match': '"1"' })).status, 200)
  t.same(tally([await place(order.id)]), { '409 ORDER_NOT_DRAFT': 1 })
})

t.test('is for holders of orders:write', async (t) => {
  const order = await draft()
  const reader = as(await tenant.keyWith(['orders:read', 'orders:price']))
  t.same(tally([await reader.post(`/v1/orders/${order.id}/place`)]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's draft as for an absent one, and leaves it", async (t) => {
  const order = await draft()
  const theirs = as(stranger.key)
  const at = async (id: string) => refusalOf(await theirs.post(`/v1/orders/${id}/place`))
  t.same(await at(order.id), await at(newId('ord')))
  t.equal((await operator.get(`/v1/orders/${order.id}`)).body.data.status, 'draft')
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const order = await draft()
  t.same(tally([await place(order.id, { 'idempotency-key': '' })]), { '400 IDEMPOTENCY_KEY_REQUIRED': 1 })
  const key = { 'idempotency-key': randomUUID() }
  const first = await place(order.id, key)
  const retry = await place(order.id, key)
  t.equal(first.status, 200)
  t.equal(retry.data, first.data)
  t.equal(retry.headers['idempotency-replayed'], 'true')
})

t.test('of twenty placings at once one succeeds; of ten drafts for the last unit one gets it', async (t) => {
  const order = await draft()
  const answers = await Promise.all(Array.from({ length: 20 }, () => persist(() => place(order.id))))
  t.same(tally(answers), { 200: 1, '409 ORDER_NOT_DRAFT': 19 })
  const rivals = await Promise.all(Array.from({ length: 10 }, () => draft({ lines: [{ sku: 'ONE', quantity: 1 }] })))
  const outcomes = await Promise.all(rivals.map(({ id }) => persist(() => place(id))))
  t.same(tally(outcomes), { 200: 1, '409 OUT_OF_STOCK': 9 })
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
