import t, { type Test } from 'tap'
import { runJobs } from '#platform/job-runner.ts'
import { type Harness, harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { jobContext } from '#test/job-context.ts'
import { eventually, persist, tally } from '#test/persistence.ts'
import { orderJobs } from '../index.ts'
import { expireDueOrders, expireOrderJob } from '../jobs.ts'

const minute = 60_000

/** A service whose clock is moved by hand, with 100 mugs. */
async function service(t: Test) {
  let skew = 0
  const made = await harness(t, { clock: { now: () => new Date(Date.now() + skew) } })
  await made.tenant.stock([{ sku: 'MUG', onHand: 100 }])
  const operator = made.as(made.tenant.key)
  return {
    ...made,
    operator,
    pass: (ms: number) => {
      skew += ms
    },
    async place(paymentTerms = 'prepaid'): Promise<{ id: string; version: number; expiresAt: string | null }> {
      const lines = [{ sku: 'MUG', quantity: 5 }]
      return (await operator.post('/v1/orders', { paymentTerms, lines })).body.data
    },
    orderOf: async (id: string) => (await operator.get(`/v1/orders/${id}`)).body.data,
    level: async () => (await operator.get(`/v1/stock/MUG/${made.tenant.locationId}`)).body.data,
  }
}

const waiting = async ({ db }: Harness): Promise<string[]> => {
  const { rows } = await db.query(`select data from pgboss.job where name = 'orders.expire' and state = 'created'`)
  return rows.map(({ data }) => data.payload.orderId).sort()
}

t.test('the worker ends unpaid orders that are due, and gives their stock back', async (t) => {
  const s = await service(t)
  const [due, paidLater] = [await s.place(), await s.place('onAccount')]
  s.pass(29 * minute)
  const young = await s.place()
  s.pass(2 * minute)
  await runJobs({ ...s.runtime, queue: s.runtime.jobs, jobs: orderJobs })
  await s.runtime.jobs.boss.send(expireDueOrders.name, {})
  const expired = await eventually('the order expires', async () => {
    const order = await s.orderOf(due.id)
    return order.status === 'expired' && order
  })
  t.match(expired, { version: 2, expiresAt: null, allowedActions: [], cancelReason: null })
  t.equal(expired.closedAt, expired.updatedAt)
  t.match(expired.lines, [{ quantity: 5, quantityCancelled: 5 }])
  t.match(await s.level(), { reserved: 10, available: 90 }, 'the other two orders keep theirs')
  t.match(await s.orderOf(paidLater.id), { status: 'confirmed', version: 2 })
  t.match(await s.orderOf(young.id), { status: 'pending', version: 1 })
  const { rows } = await s.db.query('select * from ledger where resource_id = $1 and resource_version = 2', [due.id])
  t.match(rows, [{ type: 'order.expired', actor: { type: 'system', id: 'orders.expire', keyId: null } }])
  t.match(rows[0].changed, ['status', 'closedAt', 'lines'])
  const reservations = await s.db.query('select state from reservations where order_id = $1', [due.id])
  t.same(reservations.rows, [{ state: 'expired' }])
  await stockAddsUp(t, s.db)
  await ledgerAddsUp(t, s.db)
})

t.test('the sweep leaves one job for each due order of every tenant, and no second one while it waits', async (t) => {
  const s = await service(t)
  const stranger = await s.otherTenant()
  await stranger.stock([{ sku: 'MUG', onHand: 5 }])
  const theirs = await s.as(stranger.key).post('/v1/orders', {
    paymentTerms: 'prepaid',
    lines: [{ sku: 'MUG', quantity: 5 }],
  })
  const ours = await s.place()
  const context = () => jobContext(s.runtime, 'test')
  await expireDueOrders.run(context(), {})
  t.same(await waiting(s), [], 'nothing is due yet')
  s.pass(30 * minute)
  await expireDueOrders.run(context(), {})
  await expireDueOrders.run(context(), {})
  t.same(await waiting(s), [ours.id, theirs.body.data.id].sort())
  t.equal((await s.orderOf(ours.id)).status, 'pending', 'the sweep itself ends nothing')
})

t.test('a job that runs twice takes effect once', async (t) => {
  const s = await service(t)
  const order = await s.place()
  s.pass(30 * minute)
  const context = () => jobContext(s.runtime, 'test')
  const payload = { organizationId: s.tenant.organizationId, orderId: order.id }
  await expireOrderJob.run(context(), payload)
  const after = await s.orderOf(order.id)
  t.equal(after.status, 'expired')
  await expireOrderJob.run(context(), payload)
  await Promise.all(Array.from({ length: 5 }, () => expireOrderJob.run(context(), payload)))
  t.strictSame(await s.orderOf(order.id), after)
  t.match(await s.level(), { reserved: 0, available: 100 })
  await stockAddsUp(t, s.db)
  await ledgerAddsUp(t, s.db)
})

t.test('a job for an order that is not due, confirmed, cancelled or absent does nothing', async (t) => {
  const s = await service(t)
  const [early, confirmed, cancelled] = [await s.place(), await s.place('onAccount'), await s.place()]
  await s.operator.post(`/v1/orders/${cancelled.id}/cancel`, {})
  const context = () => jobContext(s.runtime, 'test')
  const run = (orderId: string, organizationId = s.tenant.organizationId) =>
    expireOrderJob.run(context(), { organizationId, orderId })
  await run(early.id)
  t.equal((await s.orderOf(early.id)).status, 'pending')
  s.pass(31 * minute)
  await run(confirmed.id)
  await run(cancelled.id)
  await run('ord_01jd0000000000000000000000')
  await run(early.id, (await s.otherTenant()).organizationId)
  t.equal((await s.orderOf(early.id)).status, 'pending', 'in the name of another tenant it does not exist')
  t.equal((await s.orderOf(confirmed.id)).status, 'confirmed')
  t.equal((await s.orderOf(cancelled.id)).status, 'cancelled')
  await ledgerAddsUp(t, s.db)
})

t.test('an expired order cannot be cancelled, and its external id stays taken', async (t) => {
  const s = await service(t)
  const external = {
    paymentTerms: 'prepaid',
    lines: [{ sku: 'MUG', quantity: 1 }],
    source: 'shop',
    externalId: '1',
  }
  const { body } = await s.operator.post('/v1/orders', external)
  s.pass(31 * minute)
  const { organizationId } = s.tenant
  await expireOrderJob.run(jobContext(s.runtime, 'test'), { organizationId, orderId: body.data.id })
  const cancelling = await s.operator.post(`/v1/orders/${body.data.id}/cancel`, {})
  t.same(tally([cancelling]), { '409 ORDER_NOT_CANCELLABLE': 1 })
  t.same(tally([await s.operator.post('/v1/orders', external)]), { '409 DUPLICATE_EXTERNAL_ID': 1 })
})

t.test('when cancelling and expiring meet, one of them happens', async (t) => {
  const s = await service(t)
  const orders = await Promise.all(Array.from({ length: 15 }, () => s.place()))
  s.pass(31 * minute)
  const context = () => jobContext(s.runtime, 'test')
  const { organizationId } = s.tenant
  const answers = await Promise.all(
    orders.flatMap(({ id }) => [
      persist(() => s.operator.post(`/v1/orders/${id}/cancel`, {})),
      expireOrderJob.run(context(), { organizationId, orderId: id }).then(() => null),
    ]),
  )
  const cancelled = answers.filter((answer) => answer?.status === 200).length
  const { rows } = await s.db.query('select status, version, count(*)::int from orders group by 1, 2 order by 1')
  const expected = [
    { status: 'cancelled', version: 2, count: cancelled },
    { status: 'expired', version: 2, count: 15 - cancelled },
  ]
  t.same(
    rows,
    expected.filter(({ count }) => count > 0),
  )
  t.match(await s.level(), { reserved: 0, available: 100 })
  await stockAddsUp(t, s.db)
  await ledgerAddsUp(t, s.db)
})
