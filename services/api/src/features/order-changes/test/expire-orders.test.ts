import t from 'tap'
import { runJobs } from '#platform/job-runner.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { jobContext } from '#test/job-context.ts'
import { eventually, persist, tally } from '#test/persistence.ts'
import { orderJobs } from '../index.ts'
import { expireDueOrders, expireOrderJob } from '../jobs.ts'

const minute = 60_000
/** Moved by hand, forward only. */
let skew = 0
const clock = { now: () => new Date(Date.now() + skew) }
const { as, tenant, otherTenant, runtime, db } = await harness(t, { clock })
const operator = as(tenant.key)
const { organizationId } = tenant
const pass = (ms: number): void => {
  skew += ms
}

let products = 0
/** A SKU of its own for a test, 100 in stock. */
async function freshSku(): Promise<string> {
  products += 1
  const sku = `SKU-${products}`
  await tenant.stock([{ sku, onHand: 100 }])
  return sku
}
async function place(sku: string, paymentTerms = 'prepaid'): Promise<{ id: string }> {
  return (await operator.post('/v1/orders', { paymentTerms, lines: [{ sku, quantity: 5 }] })).body.data
}
const orderOf = async (id: string) => (await operator.get(`/v1/orders/${id}`)).body.data
const levelOf = async (sku: string) => (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data
const cancel = (id: string) => operator.post(`/v1/orders/${id}/cancel`, {})
const sweep = () => expireDueOrders.run(jobContext(runtime, 'test'), {})
const expire = (orderId: string, inside = organizationId) =>
  expireOrderJob.run(jobContext(runtime, 'test'), { organizationId: inside, orderId })

t.test('the sweep leaves one job for each due order of every tenant, and no second one while it waits', async (t) => {
  const waiting = async (): Promise<string[]> => {
    const { rows } = await db.query(`select data from pgboss.job where name = 'orders.expire' and state = 'created'`)
    return rows.map(({ data }) => data.payload.orderId).sort()
  }
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'THEIRS', onHand: 5 }])
  const theirs = await as(stranger.key).post('/v1/orders', {
    paymentTerms: 'prepaid',
    lines: [{ sku: 'THEIRS', quantity: 5 }],
  })
  const ours = await place(await freshSku())
  await sweep()
  t.same(await waiting(), [], 'nothing is due yet')
  pass(30 * minute)
  await sweep()
  await sweep()
  t.same(await waiting(), [ours.id, theirs.body.data.id].sort())
  t.equal((await orderOf(ours.id)).status, 'pending', 'the sweep itself ends nothing')
})

t.test('a job that runs twice takes effect once', async (t) => {
  const sku = await freshSku()
  const { id } = await place(sku)
  pass(30 * minute)
  await expire(id)
  const after = await orderOf(id)
  t.equal(after.status, 'expired')
  await expire(id)
  await Promise.all(Array.from({ length: 5 }, () => expire(id)))
  t.strictSame(await orderOf(id), after)
  t.match(await levelOf(sku), { reserved: 0, available: 100 })
})

t.test('a job for an order that is not due, confirmed, cancelled or absent does nothing', async (t) => {
  const sku = await freshSku()
  const [early, confirmed, cancelled] = [await place(sku), await place(sku, 'onAccount'), await place(sku)]
  await cancel(cancelled.id)
  await expire(early.id)
  t.equal((await orderOf(early.id)).status, 'pending')
  pass(31 * minute)
  await expire(confirmed.id)
  await expire(cancelled.id)
  await expire('ord_01jd0000000000000000000000')
  await expire(early.id, (await otherTenant()).organizationId)
  t.equal((await orderOf(early.id)).status, 'pending', 'in the name of another tenant it does not exist')
  t.equal((await orderOf(confirmed.id)).status, 'confirmed')
  t.equal((await orderOf(cancelled.id)).status, 'cancelled')
})

t.test('an expired order cannot be cancelled, and its external id stays taken', async (t) => {
  const lines = [{ sku: await freshSku(), quantity: 1 }]
  const external = { paymentTerms: 'prepaid', lines, source: 'shop', externalId: '1' }
  const { body } = await operator.post('/v1/orders', external)
  pass(31 * minute)
  await expire(body.data.id)
  t.same(tally([await cancel(body.data.id)]), { '409 ORDER_NOT_CANCELLABLE': 1 })
  t.same(tally([await operator.post('/v1/orders', external)]), { '409 DUPLICATE_EXTERNAL_ID': 1 })
})

t.test('when cancelling and expiring meet, one of them happens', async (t) => {
  const sku = await freshSku()
  const orders = await Promise.all(Array.from({ length: 15 }, () => place(sku)))
  pass(31 * minute)
  const cancelling = orders.map(({ id }) => persist(() => cancel(id)))
  await Promise.all([...cancelling, ...orders.map(({ id }) => expire(id))])
  const cancelled = (await Promise.all(cancelling)).filter(({ status }) => status === 200).length
  const { rows } = await db.query('select status, version from orders where id = any($1)', [orders.map(({ id }) => id)])
  t.equal(rows.filter(({ status }) => status === 'cancelled').length, cancelled)
  t.equal(rows.filter(({ status }) => status === 'expired').length, 15 - cancelled)
  t.ok(rows.every(({ version }) => version === 2))
  t.match(await levelOf(sku), { reserved: 0, available: 100 })
})

t.test('the worker ends unpaid orders that are due, and gives their stock back', async (t) => {
  const sku = await freshSku()
  const [due, onAccount] = [await place(sku), await place(sku, 'onAccount')]
  pass(29 * minute)
  const young = await place(sku)
  pass(2 * minute)
  const running = await runJobs({ ...runtime, queue: runtime.jobs, jobs: orderJobs })
  t.teardown(running.stop)
  await runtime.jobs.boss.send(expireDueOrders.name, {})
  const expired = await eventually('the order expires', async () => {
    const order = await orderOf(due.id)
    return order.status === 'expired' && order
  })
  t.match(expired, { version: 2, expiresAt: null, allowedActions: [], cancelReason: null })
  t.equal(expired.closedAt, expired.updatedAt)
  t.match(expired.lines, [{ quantity: 5, quantityCancelled: 5 }])
  t.match(await levelOf(sku), { reserved: 10, available: 90 }, 'the other two orders keep theirs')
  t.match(await orderOf(onAccount.id), { status: 'confirmed', version: 2 })
  t.match(await orderOf(young.id), { status: 'pending', version: 1 })
  const { rows } = await db.query('select * from ledger where resource_id = $1 and resource_version = 2', [due.id])
  t.match(rows, [{ type: 'order.expired', actor: { type: 'system', id: 'orders.expire', keyId: null } }])
  t.same(rows[0].changed, ['status', 'closedAt', 'lines'])
  const reservations = await db.query('select state from reservations where order_id = $1', [due.id])
  t.same(reservations.rows, [{ state: 'expired' }])
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
