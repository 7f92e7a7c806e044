import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import { presentLevel } from './present.ts'
import { type LevelRow, type MovementRow, writeLevels } from './repository.ts'
import type { StockMovement } from './schemas.ts'

/**
 * Gives what is available at these levels, which are locked, to the orders that wait for it; returns the levels as they
 * are then. Handed in from above: orders know of stock, stock does not know of orders.
 */
export type FillBackorders = (work: Work, levels: readonly LevelRow[]) => Promise<readonly LevelRow[]>

export interface MovementFacts {
  readonly type: StockMovement['type']
  readonly reason?: string | undefined
  readonly orderId?: string
  /** A reservation that stands alone. */
  readonly reservationId?: string
}

/** The movement that leads from one level to the next; marked with who asked, and for which order. */
export function movementBetween(work: Work, before: LevelRow, after: LevelRow, facts: MovementFacts): MovementRow {
  return {
    id: newId('mov'),
    sku: after.sku,
    location_id: after.location_id,
    type: facts.type,
    on_hand_change: after.on_hand - before.on_hand,
    reserved_change: after.reserved - before.reserved,
    on_hand: after.on_hand,
    reserved: after.reserved,
    order_id: facts.orderId ?? null,
    reservation_id: facts.reservationId ?? null,
    reason: facts.reason ?? null,
    actor: { type: work.actor.type, id: work.actor.principalId },
    request_id: work.requestId,
    occurred_at: work.now,
  }
}

/** A level as it was and as it becomes. */
export interface Step {
  readonly before: LevelRow
  readonly after: LevelRow
}

/** Writes levels that are locked, with a movement for each of which units came, went or were promised. */
export async function writeSteps(work: Work, steps: readonly Step[], facts: MovementFacts): Promise<void> {
  const levels = steps.map(({ after }) => after)
  const moved = steps.filter(
    ({ before, after }) => before.on_hand !== after.on_hand || before.reserved !== after.reserved,
  )
  const movements = moved.map(({ before, after }) => movementBetween(work, before, after, facts))
  await writeLevels(work, levels, movements)
}

/** Tells the readers of the ledger that a level was set or adjusted. */
export function recordAdjustment(work: Work, before: LevelRow, after: LevelRow): void {
  const changed = [
    ...(before.on_hand === after.on_hand ? [] : ['onHand']),
    ...(before.safety_stock === after.safety_stock ? [] : ['safetyStock']),
    ...(before.low_stock_threshold === after.low_stock_threshold ? [] : ['lowStockThreshold']),
  ]
  recordLevel(work, after, changed)
}

/** Tells them of a level that is kept from now on. */
export const recordNewLevel = (work: Work, level: LevelRow): void => recordLevel(work, level, [])

function recordLevel(work: Work, level: LevelRow, changed: readonly string[]): void {
  const resource = { type: 'stockLevel', id: `${level.sku}@${level.location_id}`, version: level.version }
  work.record({ type: 'stock.adjusted', resource, changed, data: presentLevel(level) })
}
