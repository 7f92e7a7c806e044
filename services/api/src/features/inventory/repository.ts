import { type Selectable, sql } from 'kysely'
import { runSql } from '#platform/database.ts'
import { RunAgain, violates } from '#platform/database-errors.ts'
import { newestFirst, type PageOrder, type PageRequest, selectPage, selectPageAmong } from '#platform/page.ts'
import type { Locations, StockLevels, StockMovements } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type LocationRow = Omit<Selectable<Locations>, 'organization_id'>
export type LevelRow = Omit<Selectable<StockLevels>, 'organization_id' | 'metadata' | 'marked'>
export type MovementRow = Omit<Selectable<StockMovements>, 'organization_id'>
export type LevelKey = Pick<LevelRow, 'sku' | 'location_id'>

const locationColumns = ['id', 'name', 'is_default', 'metadata', 'version', 'created_at', 'updated_at'] as const
const levelColumns = [
  'sku',
  'location_id',
  'on_hand',
  'reserved',
  'backordered',
  'safety_stock',
  'low_stock_threshold',
  'version',
  'created_at',
  'updated_at',
] as const
const movementColumns = [
  'id',
  'sku',
  'location_id',
  'type',
  'on_hand_change',
  'reserved_change',
  'on_hand',
  'reserved',
  'order_id',
  'reservation_id',
  'reason',
  'actor',
  'request_id',
  'occurred_at',
] as const

/** @throws RunAgain when another location became the default at the same moment. */
export async function insertLocation(work: Work, row: LocationRow): Promise<void> {
  try {
    await work.db.insertInto('locations').values(row).execute()
  } catch (error) {
    throw violates(error, 'locations_default_key')
      ? new RunAgain('another default location at the same moment', { cause: error })
      : error
  }
}

/** In the text, not as a parameter: the index is one of default locations. */
const isTrue = sql.lit(true)

/** Takes the default away from the location that has it, and returns that location. */
export const clearDefaultLocation = (work: Work): Promise<LocationRow | undefined> =>
  work.db
    .updateTable('locations')
    .set((e) => ({ is_default: false, version: e('version', '+', 1), updated_at: work.now }))
    .where('is_default', '=', isTrue)
    .returning(locationColumns)
    .executeTakeFirst()

/** One location, or the default one when no id is given. */
export const selectLocation = (view: Pick<View, 'db'>, id: string | null): Promise<LocationRow | undefined> => {
  const locations = view.db.selectFrom('locations').select(locationColumns)
  return (id === null ? locations.where('is_default', '=', isTrue) : locations.where('id', '=', id)).executeTakeFirst()
}

/** These locations and the default one. */
export const selectLocationsForSale = (view: Pick<View, 'db'>, ids: readonly string[]) =>
  runSql<Pick<LocationRow, 'id' | 'is_default'>>(view.db, locationsForSaleText, [ids])

// Not with `or`, which no index answers.
const locationsForSaleText = `select id, is_default from locations where id = any($1)
  union select id, is_default from locations where is_default = true`

export const selectLocationIds = async (view: Pick<View, 'db'>, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await view.db.selectFrom('locations').select('id').where('id', '=', sql<string>`any(${ids})`).execute()
  return new Set(rows.map(({ id }) => id))
}

export function selectLocations(view: View, page: PageRequest): Promise<LocationRow[]> {
  const oldestFirst = { columns: ['id'], order: 'asc' } as const
  return selectPage(view.db.selectFrom('locations').select(locationColumns), oldestFirst, page).execute()
}

export const selectLevel = (view: View, { sku, location_id }: LevelKey): Promise<LevelRow | undefined> =>
  view.db
    .selectFrom('stock_levels')
    .select(levelColumns)
    .where('sku', '=', sku)
    .where('location_id', '=', location_id)
    .executeTakeFirst()

/** The levels of these SKUs at one location. */
export const selectLevelsAt = (view: View, locationId: string, skus: readonly string[]): Promise<LevelRow[]> =>
  view.db
    .selectFrom('stock_levels')
    .select(levelColumns)
    .where('sku', '=', sql<string>`any(${skus})`)
    .where('location_id', '=', locationId)
    .execute()

/** The levels of these SKUs at all locations. */
export const selectLevelsOf = (view: View, skus: readonly string[]): Promise<LevelRow[]> =>
  view.db
    .selectFrom('stock_levels')
    .select(levelColumns)
    .where('sku', '=', sql<string>`any(${skus})`)
    .orderBy('sku')
    .orderBy('location_id')
    .execute()

export interface LevelFilter {
  readonly sku?: readonly string[]
  readonly locationId?: string
}

/** In the order of SKU and location. */
export function selectLevels(view: View, filter: LevelFilter, page: PageRequest): Promise<LevelRow[]> {
  const bySku = { columns: ['sku', 'location_id'], order: 'asc' } as const
  let rows = selectPage(view.db.selectFrom('stock_levels').select(levelColumns), bySku, page)
  if (filter.sku !== undefined) rows = rows.where('sku', '=', sql<string>`any(${filter.sku})`)
  if (filter.locationId !== undefined) rows = rows.where('location_id', '=', filter.locationId)
  return rows.execute()
}

/** Makes missing levels with nothing on hand, then locks all of them in the order of SKU and location. */
export async function openLevels(work: Work, keys: readonly LevelKey[]): Promise<LevelRow[]> {
  const created = runSql(work.db, createText, [JSON.stringify(keys), work.now])
  const [, locked] = await Promise.all([created, lockLevels(work, keys)])
  return locked
}

const createText = `insert into stock_levels (sku, location_id, on_hand, version, created_at, updated_at)
  select sku, location_id, 0, 0, $2, $2 from json_populate_recordset(null::stock_levels, $1::json)
  order by sku, location_id on conflict do nothing`

/** Makes missing levels with nothing on hand, and returns those it made. */
export const createLevels = (work: Work, keys: readonly LevelKey[]): Promise<LevelRow[]> =>
  runSql(work.db, startText, [JSON.stringify(keys), work.now])

const startText = `insert into stock_levels (sku, location_id, on_hand, version, created_at, updated_at)
  select sku, location_id, 0, 1, $2, $2 from json_populate_recordset(null::stock_levels, $1::json)
  order by sku, location_id on conflict do nothing returning ${levelColumns.join(', ')}`

export function lockLevels(work: Work, keys: readonly LevelKey[]): Promise<LevelRow[]> {
  const skus = keys.map(({ sku }) => sku)
  const locationIds = [...new Set(keys.map(({ location_id }) => location_id))]
  return runSql<LevelRow>(work.db, lockText, [skus, locationIds])
}

const lockText = `select ${levelColumns.join(', ')} from stock_levels
  where organization_id = current_setting('app.organization_id') and sku = any($1) and location_id = any($2)
  order by sku, location_id for no key update`

/** Writes levels that are locked, and the movements that led to them. */
export async function writeLevels(
  work: Work,
  levels: readonly LevelRow[],
  movements: readonly MovementRow[],
): Promise<void> {
  const skus = levels.map(({ sku }) => sku)
  const locationIds = [...new Set(levels.map(({ location_id }) => location_id))]
  await Promise.all([
    runSql(work.db, updateText, [JSON.stringify(levels), skus, locationIds]),
    runSql(work.db, movementText, [JSON.stringify(movements)]),
  ])
}

const updateText = `update stock_levels s set on_hand = w.on_hand, reserved = w.reserved, backordered = w.backordered,
    safety_stock = w.safety_stock, low_stock_threshold = w.low_stock_threshold, version = w.version, updated_at = w.updated_at
  from json_populate_recordset(null::stock_levels, $1::json) w
  where s.organization_id = current_setting('app.organization_id') and s.sku = any($2) and s.location_id = any($3)
    and s.sku = w.sku and s.location_id = w.location_id`
const movementList = movementColumns.join(', ')
const movementText = `insert into stock_movements (${movementList})
  select ${movementList} from json_populate_recordset(null::stock_movements, $1::json)`

export interface MovementFilter {
  readonly sku?: string
  readonly locationId?: string
  readonly type?: readonly string[]
  readonly from?: string
  readonly to?: string
}

/** Newest first: those of one level by their ids, which its key ends with, others by their time. */
export const movementOrder = ({ sku, locationId }: MovementFilter): PageOrder =>
  sku !== undefined && locationId !== undefined ? newestFirst : { columns: ['occurred_at', 'id'], order: 'desc' }

export function selectMovements(view: View, filter: MovementFilter, page: PageRequest): Promise<MovementRow[]> {
  let rows = view.db.selectFrom('stock_movements').select(movementColumns)
  if (filter.sku !== undefined) rows = rows.where('sku', '=', filter.sku)
  if (filter.locationId !== undefined) rows = rows.where('location_id', '=', filter.locationId)
  if (filter.from !== undefined) rows = rows.where('occurred_at', '>=', new Date(filter.from))
  if (filter.to !== undefined) rows = rows.where('occurred_at', '<', new Date(filter.to))
  const order = movementOrder(filter)
  if (filter.type === undefined) return selectPage(rows, order, page).execute()
  return selectPageAmong(view.db, rows, { column: 'type', values: filter.type }, order, page)
}

/** What an order gives back: ends its reservations and returns them, each with the state it was in. */
export const endReservations = (work: Work, orderId: string, state: 'released' | 'expired') =>
  runSql<GivenBack>(work.db, endText, [orderId, state, work.now])

type GivenBack = LevelKey & { readonly quantity: number; readonly was: string }

const endText = `with open as (
    select id, state from reservations
    where organization_id = current_setting('app.organization_id') and order_id = $1
      and state in ('backordered', 'held', 'firm') for no key update
  )
  update reservations r set state = $2, version = r.version + 1, updated_at = $3 from open
  where r.organization_id = current_setting('app.organization_id') and r.id = open.id
  returning r.sku, r.location_id, r.quantity, open.state as was`

/** Units of a SKU an order gives back: of those that wait for stock, and of those it has. */
export interface Part {
  readonly sku: string
  readonly waiting: number
  readonly reserved: number
}

/** Takes units off the reservations an order has of a SKU, the oldest first; those of which none is left end. */
export const shrinkReservations = (work: Work, orderId: string, { sku, waiting, reserved }: Part) =>
  runSql<GivenBack>(work.db, shrinkText, [orderId, sku, waiting, reserved, work.now])

const shrinkText = `with open as (
    select id, state, quantity from reservations
    where organization_id = current_setting('app.organization_id') and order_id = $1 and sku = $2
      and state in ('backordered', 'held', 'firm') for no key update
  ), counted as (
    select id, state, quantity, case when state = 'backordered' then $3::integer else $4::integer end as wanted,
      sum(quantity) over (partition by state = 'backordered' order by id) - quantity as before
    from open
  ), taken as (
    select id, state, quantity, least(quantity, wanted - before)::integer as units from counted where wanted > before
  )
  update reservations r set version = r.version + 1, updated_at = $5,
    quantity = case when t.units < t.quantity then t.quantity - t.units else t.quantity end,
    state = case when t.units < t.quantity then t.state else 'released' end
  from taken t where r.organization_id = current_setting('app.organization_id') and r.id = t.id
  returning r.sku, r.location_id, t.units as quantity, t.state as was`
