import { type Selectable, sql } from 'kysely'
import { newestFirst, type PageRequest, selectPage, selectPageAmong } from '#platform/page.ts'
import type { Reservations } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type ReservationRow = Omit<Selectable<Reservations>, 'organization_id'>

const columns = [
  'id',
  'order_id',
  'sku',
  'location_id',
  'quantity',
  'state',
  'expires_at',
  'metadata',
  'version',
  'created_at',
  'updated_at',
] as const

export const insertReservation = (work: Work, row: ReservationRow) =>
  work.db.insertInto('reservations').values(row).execute()

export const selectReservation = (view: View, id: string): Promise<ReservationRow | undefined> =>
  view.db.selectFrom('reservations').select(columns).where('id', '=', id).executeTakeFirst()

export const lockReservation = (work: Work, id: string): Promise<ReservationRow | undefined> =>
  work.db.selectFrom('reservations').select(columns).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

/** Writes the end of a reservation that is locked. */
export const endReservation = (work: Work, { id, state, version, updated_at }: ReservationRow) =>
  work.db.updateTable('reservations').set({ state, version, updated_at }).where('id', '=', id).execute()

export interface ReservationFilter {
  readonly orderId?: string
  readonly sku?: string
  readonly state?: readonly string[]
}

/** Newest first. */
export function selectReservations(
  view: View,
  filter: ReservationFilter,
  page: PageRequest,
): Promise<ReservationRow[]> {
  let rows = view.db.selectFrom('reservations').select(columns)
  if (filter.orderId !== undefined) rows = rows.where('order_id', '=', filter.orderId)
  if (filter.sku !== undefined) rows = rows.where('sku', '=', filter.sku)
  if (filter.state === undefined) return selectPage(rows, newestFirst, page).execute()
  return selectPageAmong(view.db, rows, { column: 'state', values: filter.state }, newestFirst, page)
}

/** Reservations that stand alone and whose time is up, of all organizations; the longest due first. */
export const selectDueReservations = (db: Work['db'], now: Date, limit: number) =>
  db
    .selectFrom('reservations')
    .select(['organization_id', 'id'])
    .where('order_id', 'is', null)
    // In the text, not as a parameter: the index of what is due is one of held reservations.
    .where('state', '=', sql.lit('held'))
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
    .execute()
