import t from 'tap'
import { harness } from '#test/harness.ts'
import { stockAddsUp } from '#test/invariants.ts'
import { jobContext } from '#test/job-context.ts'
import { tally } from '#test/persistence.ts'
import { markStock } from '../jobs.ts'

const { as, tenant, otherTenant, db, runtime } = await harness(t)
const operator = as(tenant.key)
const mark = () => markStock.run(jobContext(runtime, 'stock.mark'), {})
const url = (sku: string) => `/v1/stock/${sku}/${tenant.locationId}`
const set = (sku: string, body: object) => operator.put(url(sku), body, { 'if-match': '*' })
const order = async (sku: string, quantity: number): Promise<string> =>
  (await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku, quantity }] })).body.data.id
const conditionNow = async (sku: string) => (await operator.get(url(sku))).body.data.condition
let seen = ''
/** What was recorded since the last call. */
const events = async () => {
  const text = `select * from ledger where resource_type = 'stockMark' and id > $1 order by id`
  const { rows } = await db.query(text, [seen])
  seen = rows.at(-1)?.id ?? seen
  return rows.map(({ type, data }) => [type, data.sku])
}

t.test('a level is low at its threshold, out when nothing is left, and comes back', async (t) => {
  await tenant.stock([{ sku: 'MUG', onHand: 10 }])
  const { body } = await set('MUG', { onHand: 10, lowStockThreshold: 4 })
  t.match(body.data, { lowStockThreshold: 4, condition: 'ok', version: 2 })
  await mark()
  t.same(await events(), [])
  await order('MUG', 6)
  t.equal(await conditionNow('MUG'), 'low')
  await mark()
  await mark()
  t.same(await events(), [['stock.low', 'MUG']], 'told once')
  await order('MUG', 4)
  t.equal(await conditionNow('MUG'), 'out')
  await mark()
  t.same(await events(), [['stock.out', 'MUG']])
  await set('MUG', { onHand: 50 })
  await mark()
  t.same(await events(), [['stock.back', 'MUG']])
  t.match(await operator.get(url('MUG')), { body: { data: { lowStockThreshold: 4, condition: 'ok' } } })
  await set('MUG', { onHand: 50, lowStockThreshold: null })
  t.match(await operator.get(url('MUG')), { body: { data: { lowStockThreshold: null } } })
})

t.test('a count below what is promised is a shortfall, and names the orders that were promised last', async (t) => {
  await tenant.stock([{ sku: 'CUP', onHand: 10 }])
  const orders = [await order('CUP', 3), await order('CUP', 3), await order('CUP', 3)]
  await set('CUP', { onHand: 5 })
  t.match((await operator.get(url('CUP'))).body.data, { condition: 'shortfall', available: -4 })
  await mark()
  t.same(await events(), [['stock.shortfall', 'CUP']])
  const { rows } = await db.query(`select data from ledger where type = 'stock.shortfall'`)
  t.match(rows, [{ data: { sku: 'CUP', onHand: 5, reserved: 9, condition: 'shortfall' } }])
  t.same(rows[0].data.orderIds, orders.slice(1))
  await set('CUP', { onHand: 9 })
  await mark()
  t.same(await events(), [['stock.out', 'CUP']])
})

t.test('without a threshold nothing is low; safety stock counts as gone', async (t) => {
  await tenant.stock([{ sku: 'BOWL', onHand: 2 }])
  await order('BOWL', 1)
  await mark()
  t.same(await events(), [])
  await set('BOWL', { onHand: 2, safetyStock: 1 })
  await mark()
  t.same(await events(), [['stock.out', 'BOWL']])
})

t.test('tells each tenant of its own levels', async (t) => {
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'THEIRS', onHand: 0 }])
  await as(stranger.key).put(`/v1/stock/THEIRS/${stranger.locationId}`, { onHand: 0 })
  await mark()
  const { rows } = await db.query(
    `select organization_id, actor from ledger where data->>'sku' = 'THEIRS' and resource_type = 'stockMark'`,
  )
  t.match(rows, [{ organization_id: stranger.organizationId, actor: { type: 'system', id: 'stock.mark' } }])
})

t.test('refuses a threshold that is none', async (t) => {
  for (const lowStockThreshold of [-1, 1.5, '4'])
    t.same(tally([await set('MUG', { onHand: 1, lowStockThreshold })]), { '422 VALIDATION_FAILED': 1 })
})

t.test('afterwards stock adds up', (t) => stockAddsUp(t, db))
