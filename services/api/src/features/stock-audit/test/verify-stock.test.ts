import t from 'tap'
import type { Alert } from '#platform/alerts.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { verifyStock } from '../jobs.ts'

const { as, tenant, otherTenant, db, runtime } = await harness(t)
const stranger = await otherTenant()
const captured = captureLog()
const raised: Alert[] = []
const alerts = { raise: (alert: Alert) => void raised.push(alert), close: async () => {} }
const verify = () => verifyStock.run({ ...jobContext(runtime, 'stock.verify'), log: captured.log, alerts }, {})
const lines = () => captured.take().filter(({ level }) => level === 'error')
const recorded = async () => (await db.query(`select * from ledger where type = 'stock.mismatch' order by id`)).rows

for (const { key, stock } of [tenant, stranger]) {
  await stock([
    { sku: 'MUG', onHand: 9 },
    { sku: 'LATER', onHand: 1, stockPolicy: 'backorder' },
  ])
  const order = { lines: ['MUG', 'LATER'].map((sku) => ({ sku, quantity: 3 })) }
  const placed = await as(key).post('/v1/orders', order)
  await as(key).post('/v1/orders', order)
  await as(key).post(`/v1/orders/${placed.body.data.id}/cancel`, {})
  await as(key).post('/v1/reservations', { sku: 'MUG', quantity: 2 })
}

t.test('says nothing while levels, movements and reservations agree', async (t) => {
  await verify()
  t.same(lines(), [])
  t.same(raised, [])
  t.same(await recorded(), [])
})

t.test('tells what differs, by log and ledger, and repairs nothing', async (t) => {
  const key = [stranger.organizationId, 'MUG']
  const where = 'where organization_id = $1 and sku = $2'
  for (const [spoil, restore, expected] of [
    [
      `update stock_levels set on_hand = on_hand - 1 ${where}`,
      `update stock_levels set on_hand = on_hand + 1 ${where}`,
      { onHand: 8, movedOnHand: 9 },
    ],
    [
      `update stock_levels set reserved = reserved + 1 ${where}`,
      `update stock_levels set reserved = reserved - 1 ${where}`,
      { reserved: 6, movedReserved: 5, promised: 5 },
    ],
    [
      `update reservations set state = 'released' ${where} and order_id is null`,
      `update reservations set state = 'held' ${where} and order_id is null`,
      { reserved: 5, promised: 3 },
    ],
    [
      `update stock_levels set backordered = 1 ${where}`,
      `update stock_levels set backordered = 0 ${where}`,
      { backordered: 1, waiting: 0 },
    ],
  ] as const) {
    await db.query(spoil, key)
    const before = (await db.query(`select * from stock_levels ${where}`, key)).rows
    await verify()
    const told = lines()
    t.equal(told.length, 1, spoil)
    t.match(raised.splice(0), [{ alert: 'stock.mismatch', organizationId: stranger.organizationId, levels: 1 }])
    t.match(told[0], { level: 'error', organizationId: stranger.organizationId, sku: 'MUG' })
    const entry = (await recorded()).at(-1)
    t.match(entry, { organization_id: stranger.organizationId, actor: { type: 'system', id: 'stock.verify' } })
    t.match(entry.data, { sku: 'MUG', locationId: stranger.locationId, ...expected })
    t.same((await db.query(`select * from stock_levels ${where}`, key)).rows, before)
    await db.query(restore, key)
    await verify()
    t.same(lines(), [])
    t.same(raised, [])
  }
})

t.test('finds stock without a level, and a level without movements', async (t) => {
  await db.query('delete from stock_levels where organization_id = $1 and sku = $2', [stranger.organizationId, 'LATER'])
  await verify()
  t.match(
    lines(),
    [{ sku: 'LATER', on_hand: null, promised: 0 }].map(({ sku, on_hand }) => ({ sku, on_hand })),
  )
})
