import { lockLevels, writeSteps } from '#features/inventory/index.ts'
import { checkVersion, type ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { presentReservation } from './present.ts'
import { ReservationNotFound, ReservationNotHeld, ReservationOfOrder } from './problems.ts'
import { endReservation, lockReservation, type ReservationRow } from './repository.ts'
import type { Reservation } from './schemas.ts'

/** Gives back what a reservation that stands alone holds. */
export async function releaseReservation(
  work: Work,
  reservationId: string,
  expected: ExpectedVersion,
): Promise<Reservation> {
  const row = await lockReservation(work, reservationId)
  if (!row) throw new ReservationNotFound()
  checkVersion(expected, row.version)
  if (row.order_id !== null) throw new ReservationOfOrder({ detail: `It belongs to order ${row.order_id}` })
  if (row.state !== 'held') throw new ReservationNotHeld({ detail: `The reservation is ${row.state}` })
  return end(work, row, 'released')
}

/** Ends a reservation whose time is up; does nothing when it has ended meanwhile. */
export async function expireReservation(work: Work, reservationId: string): Promise<void> {
  const row = await lockReservation(work, reservationId)
  const due = row?.expires_at != null && row.expires_at <= work.now
  if (!row || !due || row.order_id !== null || row.state !== 'held') return
  await end(work, row, 'expired')
}

async function end(work: Work, row: ReservationRow, state: 'released' | 'expired'): Promise<Reservation> {
  const [before] = await lockLevels(work, [row])
  if (!before) throw new Error('the level of a reservation is missing')
  const after = { ...before, reserved: before.reserved - row.quantity }
  const facts = { type: 'release', reservationId: row.id } as const
  const ended = { ...row, state, version: row.version + 1, updated_at: work.now }
  await Promise.all([endReservation(work, ended), writeSteps(work, [{ before, after }], facts)])
  const reservation = presentReservation(ended)
  const resource = { type: 'reservation', id: row.id, version: ended.version }
  work.record({ type: `reservation.${state}`, resource, changed: ['state'], data: reservation })
  return reservation
}
