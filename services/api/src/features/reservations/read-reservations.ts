import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentReservation } from './present.ts'
import { ReservationNotFound } from './problems.ts'
import { type ReservationFilter, selectReservation, selectReservations } from './repository.ts'
import type { Reservation } from './schemas.ts'

export async function getReservation(view: View, reservationId: string): Promise<Reservation> {
  const row = await selectReservation(view, reservationId)
  if (!row) throw new ReservationNotFound()
  return presentReservation(row)
}

export async function listReservations(
  view: View,
  filter: ReservationFilter,
  page: PageRequest,
): Promise<Page<Reservation>> {
  return toPage(await selectReservations(view, filter, page), page, ({ id }) => [id], presentReservation)
}
