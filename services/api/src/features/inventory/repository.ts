import { CompiledQuery, type Selectable, sql } from 'kysely'
import { RunAgain, violates } from '#platform/database-errors.ts'
import type { PageRequest } from '#platform/page.ts'
import type { Locations, StockLevels, StockMovements } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type LocationRow = Omit<Selectable<Locations>, 'organization_id'>
export type LevelRow = Omit<Selectable<StockLevels>, 'organization_id' | 'metadata'>
export type MovementRow = Omit<Selectable<StockMovements>, 'organization_id'>
export type LevelKey = Pick<LevelRow, 'sku' | 'location_id'>

const locationColumns = ['id', 'name', 'is_default', 'metadata', 'version', 'created_at', 'updated_at'] as const
const levelColumns = [
  'sku',
  'location_id',
  'on_hand',
  'reserved',
  'safety_stock',
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

/** Takes the default away from the location that has it, and returns that location. */
export const clearDefaultLocation = (work: Work): Promise<LocationRow | undefined> =>
  work.db
    .updateTable('locations')
    .set((e) => ({ is_default: false, version: e('version', '+', 1), updated_at: work.now }))
    .where('is_default', '=', true)
    .returning(locationColumns)
    .executeTakeFirst()

/** One location, or the default one when no id is given. */
export const selectLocation = (view: Pick<View, 'db'>, id: string | null): Promise<LocationRow | undefined> => {
  const locations = view.db.selectFrom('locations').select(locationColumns)
  return (id === null ? locations.where('is_default', '=', true) : locations.where('id', '=', id)).executeTakeFirst()
}

/** These locations and the default one. */
export const selectLocationsForSale = (view: Pick<View, 'db'>, ids: readonly string[]) =>
  view.db
    .selectFrom('locations')
    .select(['id', 'is_default'])
    .where((e) => e.or([e('id', '=', sql<string>`any(${ids})`), e('is_default', '=', true)]))
    .execute()

export const selectLocationIds = async (view: Pick<View, 'db'>, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await view.db.selectFrom('locations').select('id').where('id', '=', sql<string>`any(${ids})`).execute()
  return new Set(rows.map(({ id }) => id))
}

export function selectLocations(view: View, { limit, direction, position }: PageRequest): Promise<LocationRow[]> {
  const forward = direction === 'forward'
  let rows = view.db
    .selectFrom('locations')
    .select(locationColumns)
    .orderBy('id', forward ? 'asc' : 'desc')
    .limit(limit + 1)
  if (position) rows = rows.where('id', forward ? '>' : '<', String(position[0]))
  return rows.execute()
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

export interface LevelFilter {
  readonly sku?: readonly string[]
  readonly locationId?: string
}

/** In the order of SKU and location. */
export function selectLevels(
  view: View,
  filter: LevelFilter,
  { limit, direction, position }: PageRequest,
): Promise<LevelRow[]> {
  const order = direction === 'forward' ? 'asc' : 'desc'
  let rows = view.db.selectFrom('stock_levels').select(levelColumns)
  if (filter.sku !== undefined) rows = rows.where('sku', '=', sql<string>`any(${filter.sku})`)
  if (filter.locationId !== undefined) rows = rows.where('location_id', '=', filter.locationId)
  if (position) {
    const beyond = direction === 'forward' ? sql`>` : sql`<`
    rows = rows.where(sql<boolean>`(sku, location_id) ${beyond} (${String(position[0])}, ${String(position[1])})`)
  }
  return rows
    .orderBy('sku', order)
    .orderBy('location_id', order)
    .limit(limit + 1)
    .execute()
}

/** Makes missing levels with nothing on hand, then locks all of them in the order of SKU and location. */
export async function openLevels(work: Work, keys: readonly LevelKey[]): Promise<LevelRow[]> {
  const parameters = [JSON.stringify(keys), work.now]
  const created = work.db.executeQuery(CompiledQuery.raw(createText, parameters))
  const [, locked] = await Promise.all([created, lockLevels(work, keys)])
  return locked
}

const createText = `insert into stock_levels (sku, location_id, on_hand, version, created_at, updated_at)
  select sku, location_id, 0, 0, $2, $2 from json_populate_recordset(null::stock_levels, $1::json)
  order by sku, location_id on conflict do nothing`

export async function lockLevels(work: Work, keys: readonly LevelKey[]): Promise<LevelRow[]> {
  const skus = keys.map(({ sku }) => sku)
  const locationIds = [...new Set(keys.map(({ location_id }) => location_id))]
  const { rows } = await work.db.executeQuery<LevelRow>(CompiledQuery.raw(lockText, [skus, locationIds]))
  return rows
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
  await Promise.all([
    work.db.executeQuery(CompiledQuery.raw(updateText, [JSON.stringify(levels)])),
    work.db.executeQuery(CompiledQuery.raw(movementText, [JSON.stringify(movements)])),
  ])
}

const updateText = `update stock_levels s set on_hand = w.on_hand, reserved = w.reserved, safety_stock = w.safety_stock,
    version = w.version, updated_at = w.updated_at
  from json_populate_recordset(null::stock_levels, $1::json) w
  where s.organization_id = current_setting('app.organization_id') and s.sku = w.sku and s.location_id = w.location_id`
const movementList = movementColumns.join(', ')
const movementText = `insert into stock_movements (${movementList})
  select ${movementList} from json_populate_recordset(null::stock_movements, $1::json)`

/** Newest first. */
export function selectMovements(
  view: View,
  key: LevelKey,
  { limit, direction, position }: PageRequest,
): Promise<MovementRow[]> {
  const forward = direction === 'forward'
  let rows = view.db
    .selectFrom('stock_movements')
    .select(movementColumns)
    .where('sku', '=', key.sku)
    .where('location_id', '=', key.location_id)
    .orderBy('id', forward ? 'desc' : 'asc')
    .limit(limit + 1)
  if (position) rows = rows.where('id', forward ? '<' : '>', String(position[0]))
  return rows.execute()
}

/** What an order gives back: ends its reservations and returns them. */
export async function endReservations(work: Work, orderId: string, state: 'released' | 'expired') {
  const { rows } = await work.db.executeQuery<LevelKey & { quantity: number }>(
    CompiledQuery.raw(endText, [orderId, state, work.now]),
  )
  return rows
}

const endText = `update reservations set state = $2, version = version + 1, updated_at = $3
  where organization_id = current_setting('app.organization_id') and order_id = $1 and state in ('held', 'firm')
  returning sku, location_id, quantity`

/** Takes units off the one reservation an order has of a SKU; the last of them ends it. */
export async function shrinkReservation(
  work: Work,
  orderId: string,
  { sku, quantity }: { readonly sku: string; readonly quantity: number },
) {
  const { rows } = await work.db.executeQuery<LevelKey & { quantity: number }>(
    CompiledQuery.raw(shrinkText, [orderId, sku, quantity, work.now]),
  )
  return rows
}

const shrinkText = `update reservations set quantity = case when quantity > $3 then quantity - $3 else quantity end,
    state = case when quantity > $3 then state else 'released' end, version = version + 1, updated_at = $4
  where organization_id = current_setting('app.organization_id') and order_id = $1 and sku = $2
    and state in ('held', 'firm') and quantity >= $3
  returning sku, location_id, $3::integer as quantity`
