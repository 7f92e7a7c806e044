import type { Work } from '#platform/work.ts'
import { writeSteps } from './movements.ts'
import { endReservations, type LevelKey, lockLevels, type Part, shrinkReservations } from './repository.ts'

/** Gives back what an order had reserved, because it was cancelled (released) or not paid in time (expired). */
export async function releaseStock(work: Work, orderId: string, state: 'released' | 'expired'): Promise<void> {
  await giveBack(work, orderId, await endReservations(work, orderId, state))
}

/** Gives back some units of what an order had reserved of one SKU. */
export async function releasePart(work: Work, orderId: string, part: Part): Promise<void> {
  await giveBack(work, orderId, await shrinkReservations(work, orderId, part))
}

async function giveBack(
  work: Work,
  orderId: string,
  ended: readonly (LevelKey & { readonly quantity: number; readonly was: string })[],
): Promise<void> {
  if (ended.length === 0) return
  const levels = await lockLevels(work, ended)
  const steps = levels.flatMap((before) => {
    const own = ended.filter(({ sku, location_id }) => sku === before.sku && location_id === before.location_id)
    if (own.length === 0) return []
    const sum = (waiting: boolean) =>
      own.filter(({ was }) => (was === 'backordered') === waiting).reduce((units, { quantity }) => units + quantity, 0)
    const after = { ...before, reserved: before.reserved - sum(false), backordered: before.backordered - sum(true) }
    return [{ before, after }]
  })
  await writeSteps(work, steps, { type: 'release', orderId })
}
