import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import type { Mismatch } from './repository.ts'

/** Tells the readers of the ledger what the verifier found; every finding is a resource of its own. */
export function recordMismatch(work: Work, found: Mismatch): void {
  const id = newId('chk')
  const data = {
    id,
    sku: found.sku,
    locationId: found.location_id,
    onHand: found.on_hand,
    reserved: found.reserved,
    backordered: found.backordered,
    movedOnHand: found.moved_on_hand,
    movedReserved: found.moved_reserved,
    promised: found.promised,
    waiting: found.waiting,
    version: 1,
  }
  work.record({ type: 'stock.mismatch', resource: { type: 'stockCheck', id, version: 1 }, data })
}
