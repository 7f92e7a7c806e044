import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()

await tenant.stock([
  { sku: 'MUG', onHand: 1_000 },
  { sku: 'CUP', onHand: 1_000 },
  { sku: 'POST', stockPolicy: 'untracked' },
])

const lines = [
  { sku: 'MUG', quantity: 2 },
  { sku: 'CUP', quantity: 1 },
  { sku: 'MUG', quantity: 3 },
  { sku: 'POST', quantity: 1 },
]
const place = async (paymentTerms = 'onAccount') => {
  const { body } = await operator.post('/v1/orders', { paymentTerms, lines })
  return body.data
}
const cancel = (id: string, body: object = {}, headers = {}) => operator.post(`/v1/orders/${id}/cancel`, body, headers)
const availableOf = async (sku: string) =>
  (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data.available

t.test('cancels a confirmed order and gives its stock back, with a movement', async (t) => {
  const before = [await availableOf('MUG'), await availableOf('CUP')]
  const order = await place()
  t.not(await availableOf('MUG'), before[0])
  const { status, body, headers } = await cancel(order.id, { reason: 'changed her mind' })
  t.equal(status, 200)
  const { data } = body
  t.match(headers.etag, /^"3\./)
  t.strictSame(data, {
    ...order,
    status: 'cancelled',
    cancelReason: 'changed her mind',
    version: 3,
    closedAt: data.closedAt,
    updatedAt: data.closedAt,
    lines: order.lines.map((line: Record<string, unknown>) => ({ ...line, quantityCancelled: line.quantity })),
    allowedActions: [],
  })
  t.match(data.closedAt, /Z$/)
  t.strictSame((await operator.get(`/v1/orders/${order.id}`)).body.data, data)
  t.same([await availableOf('MUG'), await availableOf('CUP')], before)
  const { rows } = await db.query(
    `select sku, type, on_hand_change, reserved_change, on_hand from stock_movements
     where order_id = $1 and type <> 'reserve' order by sku`,
    [order.id],
  )
  const release = { type: 'release', on_hand_change: 0, on_hand: 1_000 }
  t.same(rows, [
    { sku: 'CUP', ...release, reserved_change: -1 },
    { sku: 'MUG', ...release, reserved_change: -5 },
  ])
  const reservations = await db.query('select distinct state from reservations where order_id = $1', [order.id])
  t.same(reservations.rows, [{ state: 'released' }])
})

t.test('needs no body at all', async (t) => {
  const order = await place()
  const url = `/v1/orders/${order.id}/cancel`
  const key = { 'idempotency-key': 'no-body' }
  const answer = await operator.send({ method: 'POST', url, headers: key })
  t.match(answer, { status: 200, body: { data: { status: 'cancelled', cancelReason: null } } })
  const withBody = await operator.post(url, {}, key)
  t.equal(withBody.headers['idempotency-replayed'], 'true', 'an empty object is the same request')
})

t.test('cancels a pending order; it then expires no more', async (t) => {
  const order = await place('prepaid')
  const { status, body } = await cancel(order.id)
  t.equal(status, 200)
  t.match(body.data, { status: 'cancelled', version: 2, cancelReason: null, expiresAt: null })
})

t.test('leaves an entry in the ledger', async (t) => {
  const order = await place()
  const { body } = await cancel(order.id, { reason: 'broken' })
  const { rows } = await db.query('select * from ledger where resource_id = $1 and resource_version = 3', [order.id])
  t.equal(rows.length, 1)
  t.match(rows[0], {
    type: 'order.cancelled',
    changed: ['status', 'closedAt', 'lines', 'cancelReason'],
    personal: null,
  })
  t.match(rows[0].data, { status: 'cancelled', cancelReason: 'broken', closedAt: body.data.closedAt })
})

t.test('takes If-Match, and refuses a stale one', async (t) => {
  const order = await place()
  const stale = await cancel(order.id, {}, { 'if-match': '"1"' })
  t.same(tally([stale]), { '412 PRECONDITION_FAILED': 1 })
  t.equal((await operator.get(`/v1/orders/${order.id}`)).body.data.status, 'confirmed')
  const { headers } = await operator.get(`/v1/orders/${order.id}`)
  t.equal((await cancel(order.id, {}, { 'if-match': headers.etag })).status, 200)
})

t.test('refuses what is cancelled already', async (t) => {
  const order = await place()
  await cancel(order.id)
  const before = await availableOf('MUG')
  const again = await cancel(order.id)
  t.same(tally([again]), { '409 ORDER_NOT_CANCELLABLE': 1 })
  t.equal(again.body.detail, 'The order is cancelled')
  t.equal(await availableOf('MUG'), before)
})

t.test('refuses a reason that is empty or too long', async (t) => {
  const order = await place()
  for (const reason of ['', 'x'.repeat(201), null])
    t.same(tally([await cancel(order.id, { reason })]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of orders:write', async (t) => {
  const order = await place()
  const reader = as(await tenant.keyWith(['orders:read', 'orders:price']))
  t.same(tally([await reader.post(`/v1/orders/${order.id}/cancel`, {})]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's order as for an absent one, and leaves it", async (t) => {
  const order = await place()
  const theirs = as(stranger.key)
  const foreign = await theirs.post(`/v1/orders/${order.id}/cancel`, {}, { 'if-match': '"9"' })
  const absent = await theirs.post(`/v1/orders/${newId('ord')}/cancel`, {}, { 'if-match': '"9"' })
  t.equal(foreign.status, 404)
  t.same(refusalOf(foreign), refusalOf(absent))
  t.equal((await operator.get(`/v1/orders/${order.id}`)).body.data.status, 'confirmed')
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const order = await place()
  const key = { 'idempotency-key': randomUUID() }
  const first = await cancel(order.id, {}, key)
  const retry = await cancel(order.id, {}, key)
  t.equal(retry.status, 200)
  t.equal(retry.data, first.data)
  t.equal(retry.headers['idempotency-replayed'], 'true')
  const other = await place()
  t.same(
    tally([await cancel(other.id, {}, key)]),
    { '422 IDEMPOTENCY_KEY_REUSED': 1 },
    'another order, another request',
  )
})

t.test('of twenty cancellations at once one succeeds', async (t) => {
  const before = await availableOf('MUG')
  const order = await place()
  const answers = await Promise.all(Array.from({ length: 20 }, () => persist(() => cancel(order.id))))
  t.same(tally(answers), { 200: 1, '409 ORDER_NOT_CANCELLABLE': 19 })
  t.equal(await availableOf('MUG'), before)
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
