import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
await tenant.stock([{ sku: 'MUG', price: 250, onHand: 1_000 }])

const place = async (more: object = {}) => {
  const lines = [{ sku: 'MUG', quantity: 2 }]
  return (await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines, ...more })).body.data
}
const hold = (id: string, body: object = { blocks: 'confirm' }, headers = {}) =>
  operator.post(`/v1/orders/${id}/holds`, body, headers)
const release = (id: string, holdId: string, headers = {}) =>
  operator.post(`/v1/orders/${id}/holds/${holdId}/release`, undefined, headers)
const confirm = (id: string, headers = {}) => operator.post(`/v1/orders/${id}/confirm`, undefined, headers)
const read = async (id: string) => (await operator.get(`/v1/orders/${id}`)).body.data
/** A hold that is not put by hand, as the feature it belongs to would put it. */
const automaticHold = async (orderId: string, kind: string, blocks: string): Promise<string> => {
  const id = newId('hld')
  const facts = [tenant.organizationId, orderId, id, kind, blocks]
  await db.query('insert into order_holds values ($1, $2, $3, $4, $5, null, now(), null)', facts)
  return id
}
/** A draft on account that a hold keeps pending when it is placed. */
const heldOrder = async () => {
  const draft = await place({ draft: true })
  const { body } = await hold(draft.id)
  await operator.post(`/v1/orders/${draft.id}/place`)
  return { id: draft.id as string, holdId: body.data.holds[0].id as string }
}

t.test('holds a step back, shows it in the order, and leaves an entry in the ledger', async (t) => {
  const order = await place()
  const { status, body, headers } = await hold(order.id, { blocks: 'fulfill', reason: 'check the address' })
  t.equal(status, 200)
  t.match(headers.etag, /^"3\./)
  const [held] = body.data.holds
  t.match(held.id, /^hld_/)
  t.strictSame(body.data, {
    ...order,
    version: 3,
    updatedAt: body.data.updatedAt,
    holds: [{ id: held.id, kind: 'manual', blocks: 'fulfill', reason: 'check the address', createdAt: held.createdAt }],
    allowedActions: [...order.allowedActions, 'releaseHold'],
  })
  t.strictSame(await read(order.id), body.data)
  const { rows } = await db.query('select * from ledger where resource_id = $1 and resource_version = 3', [order.id])
  t.match(rows, [{ type: 'order.holdAdded', changed: ['holds'], data: { holds: [{ id: held.id }] } }])
})

t.test('a hold added before placing keeps an order on account pending, without an end', async (t) => {
  const { id } = await heldOrder()
  const order = await read(id)
  t.match(order, { status: 'pending', version: 3, expiresAt: null, confirmedAt: null })
  t.notOk(order.allowedActions.includes('confirm'))
  const { rows } = await db.query('select state from reservations where order_id = $1', [id])
  t.same(rows, [{ state: 'held' }])
  t.same(tally([await confirm(id)]), { '409 ORDER_ON_HOLD': 1 })
})

t.test('once the hold is released the order can be confirmed, and its stock is firm', async (t) => {
  const { id, holdId } = await heldOrder()
  const released = await release(id, holdId)
  t.equal(released.status, 200)
  t.match(released.body.data, { status: 'pending', version: 4, holds: [] })
  t.ok(released.body.data.allowedActions.includes('confirm'))
  const { status, body, headers } = await confirm(id)
  t.equal(status, 200)
  t.match(headers.etag, /^"5\./)
  t.match(body.data, { status: 'confirmed', version: 5, expiresAt: null })
  t.equal(body.data.confirmedAt, body.data.updatedAt)
  t.strictSame(await read(id), body.data)
  const { rows } = await db.query('select state, expires_at, version from reservations where order_id = $1', [id])
  t.same(rows, [{ state: 'firm', expires_at: null, version: 2 }])
  const entries = await db.query('select type from ledger where resource_id = $1 order by resource_version', [id])
  t.same(
    entries.rows.map(({ type }) => type),
    ['order.drafted', 'order.holdAdded', 'order.placed', 'order.holdReleased', 'order.confirmed'],
  )
})

t.test('a hold on another step does not keep an order from being confirmed', async (t) => {
  const draft = await place({ draft: true })
  await hold(draft.id, { blocks: 'fulfill' })
  t.match((await operator.post(`/v1/orders/${draft.id}/place`)).body.data, { status: 'confirmed', holds: [{}] })
})

t.test('every hold on the confirmation must be gone', async (t) => {
  const { id, holdId } = await heldOrder()
  const second = (await hold(id)).body.data.holds[1].id
  await release(id, holdId)
  t.same(tally([await confirm(id)]), { '409 ORDER_ON_HOLD': 1 })
  await release(id, second)
  t.equal((await confirm(id)).status, 200)
})

t.test('refuses to confirm what is not pending, and what is prepaid and not paid', async (t) => {
  t.same(tally([await confirm((await place()).id)]), { '409 ORDER_NOT_CONFIRMABLE': 1 })
  t.same(tally([await confirm((await place({ draft: true })).id)]), { '409 ORDER_NOT_CONFIRMABLE': 1 })
  const prepaid = await place({ paymentTerms: 'prepaid' })
  t.same(tally([await confirm(prepaid.id)]), { '409 PAYMENT_MISSING': 1 })
  t.match(await read(prepaid.id), { status: 'pending', version: 1 })
})

t.test('refuses holds on orders that are over, and more than fifty', async (t) => {
  const order = await place()
  await operator.post(`/v1/orders/${order.id}/cancel`, {})
  t.same(tally([await hold(order.id)]), { '409 ORDER_NOT_CHANGEABLE': 1 })
  const other = await place()
  for (let index = 0; index < 50; index++) t.equal((await hold(other.id)).status, 200)
  t.same(tally([await hold(other.id)]), { '409 TOO_MANY_HOLDS': 1 })
})

t.test('releases a hold once, and only those put by hand', async (t) => {
  const order = await place()
  const holdId = (await hold(order.id)).body.data.holds[0].id
  t.equal((await release(order.id, holdId)).status, 200)
  t.same(tally([await release(order.id, holdId)]), { '404 HOLD_NOT_FOUND': 1 })
  t.same(tally([await release(order.id, newId('hld'))]), { '404 HOLD_NOT_FOUND': 1 })
  const automatic = await automaticHold(order.id, 'fraudReview', 'fulfill')
  t.match((await read(order.id)).holds, [{ id: automatic, kind: 'fraudReview' }])
  t.notOk((await read(order.id)).allowedActions.includes('releaseHold'))
  const answer = await release(order.id, automatic)
  t.same(tally([answer]), { '409 HOLD_NOT_MANUAL': 1 })
  t.equal(answer.body.detail, 'The hold is of the kind fraudReview')
  const held = (await hold(order.id)).body.data.holds[1].id
  await operator.post(`/v1/orders/${order.id}/cancel`, {})
  t.same(tally([await release(order.id, held)]), { '409 ORDER_NOT_CHANGEABLE': 1 })
})

t.test('takes If-Match, and refuses a stale one', async (t) => {
  const { id, holdId } = await heldOrder()
  const stale = { 'if-match': '"1"' }
  const answers = [
    await hold(id, { blocks: 'capture' }, stale),
    await release(id, holdId, stale),
    await confirm(id, stale),
  ]
  t.same(tally(answers), { '412 PRECONDITION_FAILED': 3 })
})

t.test('refuses what does not match the schema', async (t) => {
  const order = await place()
  for (const body of [
    {},
    { blocks: 'place' },
    { blocks: 'confirm', kind: 'fraudReview' },
    { blocks: 'confirm', reason: '' },
  ])
    t.same(tally([await hold(order.id, body)]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of orders:write', async (t) => {
  const { id, holdId } = await heldOrder()
  const reader = as(await tenant.keyWith(['orders:read', 'orders:price']))
  const url = `/v1/orders/${id}`
  const answers = [
    await reader.post(`${url}/holds`, { blocks: 'confirm' }),
    await reader.post(`${url}/holds/${holdId}/release`),
    await reader.post(`${url}/confirm`),
  ]
  t.same(tally(answers), { '403 FORBIDDEN': 3 })
})

t.test("answers for another tenant's order as for an absent one, and leaves it", async (t) => {
  const { id, holdId } = await heldOrder()
  const before = await read(id)
  const theirs = as(stranger.key)
  for (const [path, body] of [
    ['holds', { blocks: 'confirm' }],
    [`holds/${holdId}/release`, undefined],
    ['confirm', undefined],
  ] as const) {
    const at = async (orderId: string) => refusalOf(await theirs.post(`/v1/orders/${orderId}/${path}`, body))
    t.same(await at(id), await at(newId('ord')), path)
  }
  t.strictSame(await read(id), before)
})

t.test('answers retries with the same key as it answered the first', async (t) => {
  const { id, holdId } = await heldOrder()
  for (const send of [
    (key: object) => hold(id, { blocks: 'capture' }, key),
    (key: object) => release(id, holdId, key),
    (key: object) => confirm(id, key),
  ]) {
    const key = { 'idempotency-key': randomUUID() }
    const first = await send(key)
    const retry = await send(key)
    t.equal(first.status, 200)
    t.equal(retry.data, first.data)
    t.equal(retry.headers['idempotency-replayed'], 'true')
  }
  t.match(await read(id), { status: 'confirmed', holds: [{ blocks: 'capture' }] })
})

t.test('of twenty at once one releases, one confirms', async (t) => {
  const { id, holdId } = await heldOrder()
  const released = await Promise.all(Array.from({ length: 20 }, () => persist(() => release(id, holdId))))
  t.same(tally(released), { 200: 1, '404 HOLD_NOT_FOUND': 19 })
  const confirmed = await Promise.all(Array.from({ length: 20 }, () => persist(() => confirm(id))))
  t.same(tally(confirmed), { 200: 1, '409 ORDER_NOT_CONFIRMABLE': 19 })
})

t.test('of a cancellation and a confirmation at once the later finds what the earlier left', async (t) => {
  for (let round = 0; round < 5; round++) {
    const { id, holdId } = await heldOrder()
    await release(id, holdId)
    const [, cancelled] = await Promise.all([
      persist(() => confirm(id)),
      persist(() => operator.post(`/v1/orders/${id}/cancel`, {})),
    ])
    t.equal(cancelled?.status, 200)
    t.equal((await read(id)).status, 'cancelled')
  }
})

t.test('afterwards stock and ledger add up', async (t) => {
  await db.query("delete from order_holds where kind <> 'manual'")
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
