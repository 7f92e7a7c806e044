import type { Work } from '#platform/work.ts'
import { movementBetween } from './movements.ts'
import { endReservations, type LevelKey, lockLevels, shrinkReservation, writeLevels } from './repository.ts'

/** Gives back what an order had reserved, because it was cancelled (released) or not paid in time (expired). */
export async function releaseStock(work: Work, orderId: string, state: 'released' | 'expired'): Promise<void> {
  await giveBack(work, orderId, await endReservations(work, orderId, state))
}

/** Gives back some units of what an order had reserved of one SKU. */
export async function releasePart(
  work: Work,
  orderId: string,
  part: { readonly sku: string; readonly quantity: number },
): Promise<void> {
  await giveBack(work, orderId, await shrinkReservation(work, orderId, part))
}

async function giveBack(
  work: Work,
  orderId: string,
  ended: readonly (LevelKey & { readonly quantity: number })[],
): Promise<void> {
  if (ended.length === 0) return
  const levels = await lockLevels(work, ended)
  const steps = levels.flatMap((before) => {
    const quantity = ended
      .filter(({ sku, location_id }) => sku === before.sku && location_id === before.location_id)
      .reduce((sum, reservation) => sum + reservation.quantity, 0)
    return quantity === 0 ? [] : [{ before, after: { ...before, reserved: before.reserved - quantity } }]
  })
  const movements = steps.map(({ before, after }) => movementBetween(work, before, after, { type: 'release', orderId }))
  await writeLevels(
    work,
    steps.map(({ after }) => after),
    movements,
  )
}
