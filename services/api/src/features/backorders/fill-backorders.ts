import {
  availableOf,
  type LevelKey,
  type LevelRow,
  lockLevels,
  movementBetween,
  writeLevels,
} from '#features/inventory/index.ts'
import { type OrderWithLines, presentSnapshot, selectOrdersWithLines } from '#features/orders/index.ts'
import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import { type Allotment, allot, fillLines, levelKey } from './allotment.ts'
import { claimWaiting, type Fill, writeFills } from './repository.ts'

/** Most reservations filled in one transaction; the job for what became free goes on with the rest. */
const maxFills = 500

/**
 * Gives what is available at these levels, which are locked, to the orders that wait for it, in order of placement.
 * Orders that are being changed at this moment are passed over, so nobody waits for an order while holding stock.
 * Returns the levels as they are then.
 */
export async function fillBackorders(work: Work, levels: readonly LevelRow[]): Promise<readonly LevelRow[]> {
  const open = levels.filter((level) => level.backordered > 0 && availableOf(level) > 0)
  if (open.length === 0) return levels
  // Each takes a unit at least, so no more can be filled than there are units.
  const share = Math.ceil(maxFills / open.length)
  const fillable = open.map((level) => ({ ...level, most: Math.min(availableOf(level), share) }))
  const allotments = allot(open, await claimWaiting(work, fillable))
  if (allotments.length === 0) return levels
  const orders = await selectOrdersWithLines(work, [...new Set(allotments.map(({ waiting }) => waiting.order_id))])
  const filled = orders.map((order) => filledOrder(work, order, allotments))
  const { after, movements } = reserveAllotted(work, open, allotments)
  await Promise.all([
    writeFills(work, { fills: allotments.map(fillOf), orders: filled }),
    writeLevels(work, [...after.values()], movements),
  ])
  for (const order of filled) recordFill(work, order)
  return levels.map((level) => after.get(levelKey(level)) ?? level)
}

/** Fills at one level until nothing is left to give or nobody waits; for stock that became free otherwise. */
export async function fillLevel(work: Work, key: LevelKey): Promise<{ readonly filled: boolean }> {
  const [before] = await lockLevels(work, [key])
  if (!before) return { filled: false }
  const [after] = await fillBackorders(work, [before])
  return { filled: after !== undefined && after.reserved !== before.reserved }
}

function filledOrder(work: Work, order: OrderWithLines, allotments: readonly Allotment[]): OrderWithLines {
  const own = allotments.filter(({ waiting }) => waiting.order_id === order.id)
  return { ...order, lines: fillLines(order.lines, own), version: order.version + 1, updated_at: work.now }
}

/** The levels after each allotment in turn, each with a movement of its own. */
function reserveAllotted(work: Work, open: readonly LevelRow[], allotments: readonly Allotment[]) {
  const after = new Map<string, LevelRow>()
  const levels = new Map(open.map((level) => [levelKey(level), level]))
  const movements = allotments.flatMap(({ waiting, units }) => {
    const key = levelKey(waiting)
    const before = after.get(key) ?? levels.get(key)
    if (!before) return []
    const level = { ...before, reserved: before.reserved + units, backordered: before.backordered - units }
    after.set(key, level)
    return [movementBetween(work, before, level, { type: 'reserve', orderId: waiting.order_id })]
  })
  return { after, movements }
}

const fillOf = ({ waiting, units }: Allotment): Fill => ({
  id: waiting.id,
  left: waiting.quantity - units,
  filled_id: newId('rsv'),
  order_id: waiting.order_id,
  sku: waiting.sku,
  location_id: waiting.location_id,
  units,
  state: waiting.status === 'pending' ? 'held' : 'firm',
  expires_at: waiting.expires_at,
})

function recordFill(work: Work, order: OrderWithLines): void {
  const resource = { type: 'order', id: order.id, version: order.version }
  work.record({ type: 'order.updated', resource, changed: ['lines'], data: presentSnapshot(order) })
}
