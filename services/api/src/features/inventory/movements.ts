import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import { presentLevel } from './present.ts'
import type { LevelRow, MovementRow } from './repository.ts'
import type { StockMovement } from './schemas.ts'

/** The movement that leads from one level to the next; marked with who asked, and for which order. */
export function movementBetween(
  work: Work,
  before: LevelRow,
  after: LevelRow,
  facts: { readonly type: StockMovement['type']; readonly reason?: string | undefined; readonly orderId?: string },
): MovementRow {
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
    reason: facts.reason ?? null,
    actor: { type: work.actor.type, id: work.actor.principalId },
    request_id: work.requestId,
    occurred_at: work.now,
  }
}

/** Tells the readers of the ledger that a level was set or adjusted. */
export function recordAdjustment(work: Work, before: LevelRow, after: LevelRow): void {
  const changed = [
    ...(before.on_hand === after.on_hand ? [] : ['onHand']),
    ...(before.safety_stock === after.safety_stock ? [] : ['safetyStock']),
  ]
  const resource = { type: 'stockLevel', id: `${after.sku}@${after.location_id}`, version: after.version }
  work.record({ type: 'stock.adjusted', resource, changed, data: presentLevel(after) })
}
