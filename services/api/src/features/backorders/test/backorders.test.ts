import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { contended } from '#test/contention.ts'
import { type Harness, harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { jobContext } from '#test/job-context.ts'
import { persist, tally } from '#test/persistence.ts'
import { fillFreed, fillLevelJob } from '../jobs.ts'
import { claimWaiting } from '../repository.ts'

const { as, tenant, otherTenant, db, runtime } = await harness(t)
const operator = as(tenant.key)
const line = (sku: string, quantity: number) => ({ sku, quantity })
const place = (lines: readonly object[], paymentTerms = 'onAccount') =>
  operator.post('/v1/orders', { paymentTerms, lines })
const orderOf = async (id: string) => (await operator.get(`/v1/orders/${id}`)).body.data
const levelOf = async (sku: string) => (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data
const receive = async (sku: string, change: number) =>
  operator.post(`/v1/stock/${sku}/${tenant.locationId}/adjust`, { change, type: 'receipt' })
const waitingOf = async (id: string): Promise<number[]> =>
  (await orderOf(id)).lines.map(({ quantityBackordered }: { quantityBackordered: number }) => quantityBackordered)
const reservationsOf = async (id: string) =>
  (await db.query('select state, quantity from reservations where order_id = $1 order by state, quantity', [id])).rows

let made = 0
/** A fresh SKU that is sold beyond what is there. */
const sku = async (onHand?: number, stockPolicy: 'deny' | 'backorder' = 'backorder'): Promise<string> => {
  const name = `SKU-${made++}`
  await tenant.stock([{ sku: name, stockPolicy, ...(onHand === undefined ? {} : { onHand }) }])
  return name
}

t.test('an order takes what is available and backorders the rest', async (t) => {
  const name = await sku(5)
  const { status, body } = await place([line(name, 8)])
  t.equal(status, 201)
  t.match(body.data, { status: 'confirmed', lines: [{ quantity: 8, quantityBackordered: 3 }] })
  t.strictSame(await orderOf(body.data.id), body.data)
  t.match(await levelOf(name), { onHand: 5, reserved: 5, backordered: 3, available: 0, version: 1 })
  t.same(await reservationsOf(body.data.id), [
    { state: 'backordered', quantity: 3 },
    { state: 'firm', quantity: 5 },
  ])
  const [movement] = (await operator.get(`/v1/stock/${name}/${tenant.locationId}/movements`)).body.data
  t.match(movement, { type: 'reserve', reservedChange: 5, reserved: 5, orderId: body.data.id })
  const timeline = (await operator.get(`/v1/orders/${body.data.id}/timeline`)).body.data
  for (const { order } of timeline) t.match(order.lines, [{ quantityBackordered: 3 }])
})

t.test('lines of one SKU take what is there in their order', async (t) => {
  const [name, plain] = [await sku(5), await sku(9, 'deny')]
  const { body } = await place([line(name, 3), line(plain, 2), line(name, 4), line(name, 1)])
  t.same(await waitingOf(body.data.id), [0, 0, 2, 1])
  t.match(await levelOf(name), { reserved: 5, backordered: 3 })
  t.match(await levelOf(plain), { reserved: 2, backordered: 0 })
})

t.test('as many as may be filled are locked, the first that wait', async (t) => {
  const names = [await sku(0), await sku(0)]
  const orders: string[] = []
  for (let n = 0; n < 3; n++) orders.push((await place(names.map((name) => line(name, 1)))).body.data.id)
  const claimed = await jobContext(runtime, 'test')
    .tenant(tenant.organizationId)
    .write((work) =>
      claimWaiting(
        work,
        names.map((name, index) => ({ sku: name, location_id: tenant.locationId, most: index + 1 })),
      ),
    )
  const of = (name: string | undefined) => claimed.filter((one) => one.sku === name).map(({ order_id }) => order_id)
  t.same(of(names[0]), orders.slice(0, 1))
  t.same(of(names[1]), orders.slice(0, 2))
})

t.test('safety stock is not given away, and less than nothing is nothing', async (t) => {
  const name = await sku(5)
  await operator.put(`/v1/stock/${name}/${tenant.locationId}`, { onHand: 5, safetyStock: 4 }, { 'if-match': '*' })
  t.same(await waitingOf((await place([line(name, 3)])).body.data.id), [2])
  await operator.put(`/v1/stock/${name}/${tenant.locationId}`, { onHand: 0 }, { 'if-match': '*' })
  t.same(await waitingOf((await place([line(name, 3)])).body.data.id), [3])
  t.match(await levelOf(name), { reserved: 1, backordered: 5, available: -5 })
})

t.test('what was never stocked waits all the same: its level is made with the order', async (t) => {
  const name = await sku()
  const { status, body } = await place([line(name, 2)])
  t.equal(status, 201)
  t.same(await waitingOf(body.data.id), [2])
  t.match(await levelOf(name), { onHand: 0, reserved: 0, backordered: 2, version: 1 })
})

t.test('a line that must not wait refuses the whole order', async (t) => {
  const [name, plain] = [await sku(1), await sku(1, 'deny')]
  const answer = await place([line(name, 2), line(plain, 2)])
  t.same(tally([answer]), { '409 OUT_OF_STOCK': 1 })
  t.match(answer.body.errors, [{ field: 'lines[1].quantity' }])
  t.equal(answer.body.errors.length, 1)
  t.match(await levelOf(name), { reserved: 0, backordered: 0 })
})

t.test('a quote tells what would wait', async (t) => {
  const name = await sku(5)
  const quote = async () =>
    (await operator.post('/v1/orders/quote', { lines: [line(name, 4), line(name, 4)] })).body.data
  const stock = { sku: name, policy: 'backorder', requested: 8, sufficient: true }
  t.match(await quote(), { placeable: true, stock: [{ ...stock, available: 5, backordered: 3 }] })
  await place([line(name, 6)])
  t.match(await quote(), { placeable: true, stock: [{ ...stock, available: 0, backordered: 8 }] })
})

t.test('stock that comes in goes to those who wait, in order of placement', async (t) => {
  const name = await sku(1)
  const first = (await place([line(name, 3)])).body.data
  const second = (await place([line(name, 2)], 'prepaid')).body.data
  const third = (await place([line(name, 4)])).body.data
  const answer = await receive(name, 3)
  t.match(answer.body.data, { onHand: 4, reserved: 4, backordered: 5, available: 0, version: 2 })
  t.same(await Promise.all([first, second, third].map(({ id }) => waitingOf(id))), [[0], [1], [4]])
  t.same(await reservationsOf(second.id), [
    { state: 'backordered', quantity: 1 },
    { state: 'held', quantity: 1 },
  ])
  t.match(await orderOf(first.id), { version: 3, status: 'confirmed' })
  const timeline = (await operator.get(`/v1/orders/${first.id}/timeline`)).body.data
  t.match(timeline.at(-1), { type: 'order.updated', changed: ['lines'], version: 3, actor: { type: 'apiKey' } })
  t.match(timeline.at(-1).order.lines, [{ quantityBackordered: 0 }])
  const movements = (await operator.get(`/v1/stock/${name}/${tenant.locationId}/movements`)).body.data
  t.match(movements, [
    { type: 'reserve', reservedChange: 1, reserved: 4, orderId: second.id },
    { type: 'reserve', reservedChange: 2, reserved: 3, orderId: first.id },
    { type: 'receipt', onHandChange: 3, reserved: 1 },
  ])
  t.match((await receive(name, 10)).body.data, { onHand: 14, reserved: 9, backordered: 0, available: 5 })
  t.same(await Promise.all([first, second, third].map(({ id }) => waitingOf(id))), [[0], [0], [0]])
})

t.test('counting one level or many fills as well; an order that waits for two SKUs changes once', async (t) => {
  const [a, b] = [await sku(0), await sku(0)]
  const { id } = (await place([line(a, 2), line(b, 3)])).body.data
  const levels = [a, b].map((name) => ({ sku: name, locationId: tenant.locationId, onHand: 2 }))
  const { body } = await operator.post('/v1/stock/batch', { levels })
  t.match(body.data.levels, [
    { sku: a, reserved: 2, backordered: 0 },
    { sku: b, reserved: 2, backordered: 1 },
  ])
  t.match(await orderOf(id), { version: 3 })
  t.same(await waitingOf(id), [0, 1])
  await operator.put(`/v1/stock/${b}/${tenant.locationId}`, { onHand: 9 }, { 'if-match': '*' })
  t.same(await waitingOf(id), [0, 0])
})

t.test('a cancelled order waits no more, and gives back what it had', async (t) => {
  const name = await sku(2)
  const { id } = (await place([line(name, 5)])).body.data
  const { body } = await operator.post(`/v1/orders/${id}/cancel`, {})
  t.match(body.data.lines, [{ quantity: 5, quantityCancelled: 5, quantityBackordered: 0 }])
  t.match(await levelOf(name), { reserved: 0, backordered: 0, available: 2 })
  const onlyWaiting = (await place([line(await sku(0), 5)])).body.data
  const again = await operator.post(`/v1/orders/${onlyWaiting.id}/cancel`, {})
  t.equal(again.status, 200)
  t.same(await reservationsOf(onlyWaiting.id), [{ state: 'released', quantity: 5 }])
})

t.test('nobody jumps the queue; what becomes free goes to those who wait', async (t) => {
  const name = await sku(4)
  const first = (await place([line(name, 4)])).body.data
  const second = (await place([line(name, 3)])).body.data
  await operator.post(`/v1/orders/${first.id}/cancel`, {})
  const third = (await place([line(name, 1)])).body.data
  t.same([await waitingOf(second.id), await waitingOf(third.id)], [[3], [1]])
  const context = () => jobContext(runtime, 'test')
  await fillFreed.run(context(), {})
  await fillFreed.run(context(), {})
  const { rows } = await db.query(`select data from pgboss.job where name = $1`, [fillLevelJob.name])
  const jobs = rows.map(({ data }) => data.payload).filter((payload) => payload.sku === name)
  t.same(jobs, [{ organizationId: tenant.organizationId, sku: name, locationId: tenant.locationId }])
  await fillLevelJob.run(context(), jobs[0])
  await fillLevelJob.run(context(), jobs[0])
  t.same([await waitingOf(second.id), await waitingOf(third.id)], [[0], [0]])
  t.match(await orderOf(second.id), { version: 3 })
  t.match(await levelOf(name), { reserved: 4, backordered: 0 })
})

t.test('a job for another tenant or an absent level does nothing', async (t) => {
  const name = await sku(0)
  await place([line(name, 1)])
  const { organizationId } = await otherTenant()
  const { locationId } = tenant
  await fillLevelJob.run(jobContext(runtime, 'test'), { organizationId, sku: name, locationId })
  t.match(await levelOf(name), { backordered: 1 })
})

t.test('a product that no longer may wait keeps its queue', async (t) => {
  const name = await sku(0)
  const { id } = (await place([line(name, 2)])).body.data
  await tenant.stock([{ sku: name, stockPolicy: 'deny' }])
  t.same(tally([await place([line(name, 1)])]), { '409 OUT_OF_STOCK': 1 })
  await receive(name, 2)
  t.same(await waitingOf(id), [0])
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const name = await sku(1)
  const key = { 'idempotency-key': randomUUID() }
  const send = () => operator.post('/v1/orders', { lines: [line(name, 3)] }, key)
  const first = await send()
  t.equal((await send()).data, first.data)
  t.match(await levelOf(name), { reserved: 1, backordered: 2 })
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})

const placing = (h: Harness, lines: readonly object[]) => {
  const key = { 'idempotency-key': randomUUID() }
  return persist(() => h.as(h.tenant.key).post('/v1/orders', { paymentTerms: 'onAccount', lines }, key))
}

for (const env of [{}, { GROUP_SIZE: '1' }])
  t.test(`orders, receipts and cancellations at the same moment, ${JSON.stringify(env)}`, async (t: Test) => {
    const h = await contended(t, 10, env)
    await h.tenant.stock([
      { sku: 'A', onHand: 20, stockPolicy: 'backorder' },
      { sku: 'B', onHand: 0, stockPolicy: 'backorder' },
    ])
    const client = h.as(h.tenant.key)
    const tasks = Array.from({ length: 100 }, async (_, index) => {
      const key = { 'idempotency-key': randomUUID() }
      const name = index % 2 === 0 ? 'A' : 'B'
      const url = `/v1/stock/${name}/${h.tenant.locationId}/adjust`
      if (index % 5 === 4) return persist(() => client.post(url, { change: 4, type: 'receipt' }, key))
      const lines = index % 2 === 0 ? [line('B', 2), line('A', 1)] : [line('A', 2), line('B', 1)]
      const placed = await placing(h, lines)
      if (index % 3 > 0) return placed
      return persist(() => client.post(`/v1/orders/${placed.body.data.id}/cancel`, {}))
    })
    const refused = (await Promise.all(tasks)).filter(({ status }) => status >= 300)
    t.same(
      refused.map(({ text }) => text),
      [],
    )
    t.same(h.deadlocks(), [])
    for (const name of ['A', 'B'])
      await persist(() => client.post(`/v1/stock/${name}/${h.tenant.locationId}/adjust`, { change: 1_000 }))
    const { rows } = await h.db.query('select sum(quantity_backordered)::int as waiting from order_lines')
    t.same(rows, [{ waiting: 0 }])
    await stockAddsUp(t, h.db)
    await ledgerAddsUp(t, h.db)
  })
