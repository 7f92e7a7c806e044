import type { LevelKey } from '#features/inventory/index.ts'
import type { OrderWithLines } from '#features/orders/index.ts'
import { runSql } from '#platform/database.ts'
import type { Work } from '#platform/work.ts'

/** A reservation that waits for stock, with what its order says of it. */
export interface Waiting extends LevelKey {
  readonly id: string
  readonly order_id: string
  readonly quantity: number
  readonly status: string
  readonly expires_at: Date | null
}

/** A level and how many reservations, at most, may be filled there. */
export interface Fillable extends LevelKey {
  readonly most: number
}

/**
 * Locks those who wait at these levels, in order of placement, with their orders: of each level as many as may be filled,
 * however many wait. Rows that somebody else holds are skipped: whoever holds an order may come for the stock next.
 */
export function claimWaiting(work: Work, levels: readonly Fillable[]): Promise<Waiting[]> {
  const [skus, locations] = [levels.map(({ sku }) => sku), levels.map(({ location_id }) => location_id)]
  return runSql<Waiting>(work.db, claimText, [skus, locations, levels.map(({ most }) => most)])
}

const claimText = `select w.id, w.order_id, w.sku, w.location_id, w.quantity, w.status, w.expires_at
  from unnest($1::text[], $2::text[], $3::int[]) l (sku, location_id, most)
  cross join lateral (
    select r.id, r.order_id, r.sku, r.location_id, r.quantity, r.created_at, o.status, o.expires_at
    from reservations r
    join orders o on o.organization_id = current_setting('app.organization_id') and o.id = r.order_id
    where r.organization_id = current_setting('app.organization_id') and r.state = 'backordered'
      and r.sku = l.sku and r.location_id = l.location_id and o.status in ('pending', 'confirmed', 'processing')
    order by r.created_at, r.id limit l.most for no key update of r, o skip locked
  ) w
  order by w.created_at, w.id`

/** What a waiting reservation gets: `left` goes on waiting; `filled_id` names the part that waits no more. */
export interface Fill extends LevelKey {
  readonly id: string
  readonly left: number
  readonly filled_id: string
  readonly order_id: string
  readonly units: number
  readonly state: 'held' | 'firm'
  readonly expires_at: Date | null
}

/** Writes what was filled: reservations, counts of lines and versions of orders, all of which are locked. */
export async function writeFills(
  work: Work,
  { fills, orders }: { readonly fills: readonly Fill[]; readonly orders: readonly OrderWithLines[] },
): Promise<void> {
  const counts = orders.flatMap(({ id, lines }) =>
    lines.map(({ position, quantity_backordered }) => ({ order_id: id, position, quantity_backordered })),
  )
  await Promise.all([
    runSql(work.db, fillText, [JSON.stringify(fills), work.now]),
    runSql(work.db, lineText, [JSON.stringify(counts), orders.map(({ id }) => id)]),
    runSql(work.db, orderText, [orders.map(({ id }) => id), work.now]),
  ])
}

const fillText = `with fills as (
    select * from json_to_recordset($1::json) as f (id text, "left" integer, filled_id text, order_id text, sku text,
      location_id text, units integer, state text, expires_at timestamptz(3))
  ), filled as (
    update reservations r set version = r.version + 1, updated_at = $2,
      state = case when f.left = 0 then f.state else r.state end,
      quantity = case when f.left = 0 then r.quantity else f.left end,
      expires_at = f.expires_at
    from fills f
    where r.organization_id = current_setting('app.organization_id') and r.id = f.id
  )
  insert into reservations (id, order_id, sku, location_id, quantity, state, expires_at, version, created_at, updated_at)
  select filled_id, order_id, sku, location_id, units, state, expires_at, 1, $2, $2 from fills where "left" > 0`
const lineText = `update order_lines l set quantity_backordered = w.quantity_backordered
  from json_populate_recordset(null::order_lines, $1::json) w
  where l.organization_id = current_setting('app.organization_id') and l.order_id = any($2)
    and l.order_id = w.order_id and l.position = w.position and l.quantity_backordered <> w.quantity_backordered`
const orderText = `update orders set version = version + 1, updated_at = $2
  where organization_id = current_setting('app.organization_id') and id = any($1)`

/** Levels of all organizations with something to give while orders wait. */
export const selectFreedLevels = (db: Work['db'], limit: number) =>
  runSql<LevelKey & { organization_id: string }>(db, freedText, [limit])

const freedText = `select organization_id, sku, location_id from stock_levels
  where backordered > 0 and on_hand - reserved - safety_stock > 0 limit $1`
