import { CompiledQuery, type Selectable, sql } from 'kysely'
import { RunAgain, violates } from '#platform/database-errors.ts'
import type { PageRequest } from '#platform/page.ts'
import type { Ledger, OrderHolds, OrderLines, Orders, Reservations } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type OrderRow = Omit<Selectable<Orders>, 'organization_id' | 'customer_email'>
export type SummaryRow = Pick<OrderRow, (typeof summaryColumns)[number]>
export type LineRow = Omit<Selectable<OrderLines>, 'organization_id' | 'order_id'>
export type ReservationRow = Omit<Selectable<Reservations>, 'organization_id'>
export type HoldRow = Omit<Selectable<OrderHolds>, 'organization_id' | 'order_id' | 'released_at'>
export type OrderWithLines = OrderRow & { readonly lines: readonly LineRow[]; readonly holds: readonly HoldRow[] }

/** What lists show of an order: nothing personal. */
export const summaryColumns = [
  'id',
  'number',
  'status',
  'source',
  'external_id',
  'location_id',
  'payment_terms',
  'currency',
  'items_amount',
  'discount_amount',
  'shipping_amount',
  'tax_amount',
  'total_amount',
  'metadata',
  'expires_at',
  'placed_at',
  'confirmed_at',
  'closed_at',
  'version',
  'created_at',
  'updated_at',
] as const
const orderColumns = [
  ...summaryColumns,
  'discounts',
  'shipping',
  'taxes',
  'customer',
  'shipping_address',
  'billing_address',
  'notes',
  'cancel_reason',
] as const
const lineColumns = [
  'position',
  'id',
  'sku',
  'title',
  'tracked',
  'quantity',
  'quantity_cancelled',
  'quantity_fulfilled',
  'unit_price_amount',
  'discount_amount',
  'tax_amount',
  'total_amount',
  'metadata',
] as const
const reservationColumns = `id, order_id, sku, location_id, quantity, state, expires_at, version, created_at, updated_at`
const movementFacts = `actor, request_id, occurred_at`

/** Stock that orders want: summed per SKU and location over all of them. */
export interface Demand {
  readonly sku: string
  readonly location_id: string
  readonly quantity: number
}

/** The reservation of one order; `later` is what orders after it in the same placement take of the same level. */
export interface Reserving extends ReservationRow {
  readonly movement_id: string
  readonly later: number
  readonly actor: { readonly type: string; readonly id: string }
  readonly request_id: string
  readonly occurred_at: Date
}

export interface Placement {
  readonly orders: readonly OrderRow[]
  readonly lines: readonly (LineRow & { readonly order_id: string })[]
  readonly demand: readonly Demand[]
  readonly reservations: readonly Reserving[]
}

export interface Shortage extends Demand {
  readonly available: number
}

/**
 * Places orders in one statement: locks the stock rows in the order of (SKU, location), reserves under the guard that
 * enough is available, and inserts orders, lines, reservations and stock movements. Returns what fell short; the
 * caller then throws, and nothing of it stays.
 * @throws RunAgain when the number, or the source and external id, was taken at the same moment.
 */
export async function insertOrders(
  work: Work,
  { orders, lines, demand, reservations }: Placement,
): Promise<Shortage[]> {
  const parameters = [
    JSON.stringify(demand),
    demand.map(({ sku }) => sku),
    [...new Set(demand.map(({ location_id }) => location_id))],
    JSON.stringify(orders),
    JSON.stringify(lines),
    JSON.stringify(reservations),
  ]
  try {
    const { rows } = await work.db.executeQuery<Shortage>(CompiledQuery.raw(placeText, parameters))
    return rows
  } catch (error) {
    const taken = violates(error, 'orders_external_key') || violates(error, 'orders_number_key')
    throw taken ? new RunAgain('number or external id taken at the same moment', { cause: error }) : error
  }
}

const orderList = orderColumns.join(', ')
const lineList = lineColumns.join(', ')
const placeText = `with demand as (
    select * from json_to_recordset($1::json) as d (sku text, location_id text, quantity integer)
  ), locked as (
    select sku, location_id, on_hand - reserved - safety_stock as available from stock_levels
    where organization_id = current_setting('app.organization_id') and sku = any($2) and location_id = any($3)
    order by sku, location_id for no key update
  ), reserved as (
    update stock_levels s set reserved = s.reserved + d.quantity
    from locked l join demand d using (sku, location_id)
    where s.organization_id = current_setting('app.organization_id') and s.sku = any($2) and s.location_id = any($3)
      and s.sku = l.sku and s.location_id = l.location_id
      and s.on_hand - s.reserved - s.safety_stock >= d.quantity
    returning s.sku, s.location_id, s.on_hand, s.reserved
  ), new_orders as (
    insert into orders (${orderList}) select ${orderList} from json_populate_recordset(null::orders, $4::json)
  ), new_lines as (
    insert into order_lines (order_id, ${lineList})
    select order_id, ${lineList} from json_populate_recordset(null::order_lines, $5::json)
  ), new_reservations as (
    insert into reservations (${reservationColumns})
    select ${reservationColumns} from json_populate_recordset(null::reservations, $6::json)
  ), new_movements as (
    insert into stock_movements (id, sku, location_id, type, on_hand_change, reserved_change, on_hand, reserved, order_id, ${movementFacts})
    select m.movement_id, m.sku, m.location_id, 'reserve', 0, m.quantity, r.on_hand, r.reserved - m.later, m.order_id, ${movementFacts}
    from json_to_recordset($6::json) as m (movement_id text, order_id text, sku text, location_id text, quantity integer,
      later integer, actor jsonb, request_id text, occurred_at timestamptz(3))
    join reserved r using (sku, location_id)
  )
  select d.sku, d.location_id, d.quantity, coalesce(l.available, 0) as available
  from demand d left join locked l using (sku, location_id) left join reserved r using (sku, location_id)
  where r.sku is null`

/** An order with its lines and holds, if the actor may see it. */
export async function selectOrder(view: Pick<View, 'db' | 'actor'>, id: string): Promise<OrderWithLines | undefined> {
  const { sources } = view.actor
  const orders = view.db.selectFrom('orders').select(orderColumns).where('id', '=', id)
  const seen = sources === null ? orders : orders.where('source', '=', sql<string>`any(${[...sources]})`)
  const [order, lines, holds] = await Promise.all([
    seen.executeTakeFirst(),
    view.db.selectFrom('order_lines').select(lineColumns).where('order_id', '=', id).orderBy('position').execute(),
    view.db
      .selectFrom('order_holds')
      .select(['id', 'kind', 'blocks', 'reason', 'created_at'])
      .where('order_id', '=', id)
      .where('released_at', 'is', null)
      .orderBy('id')
      .execute(),
  ])
  return order && { ...order, lines, holds }
}

export type ExternalOrder = Pick<OrderRow, 'id' | 'source' | 'external_id'>

/** Orders that exist under these sources and external ids. */
export async function selectExternalOrders(
  work: Work,
  named: readonly { readonly source: string; readonly externalId: string }[],
): Promise<ExternalOrder[]> {
  const rows = await work.db
    .selectFrom('orders')
    .select(['id', 'source', 'external_id'])
    .where('source', '=', sql<string>`any(${[...new Set(named.map(({ source }) => source))]})`)
    .where('external_id', '=', sql<string>`any(${named.map(({ externalId }) => externalId)})`)
    .execute()
  const wanted = new Set(named.map(({ source, externalId }) => `${source} ${externalId}`))
  return rows.filter(({ source, external_id }) => wanted.has(`${source} ${external_id}`))
}

export const selectExternalOrder = (view: Pick<View, 'db'>, source: string, externalId: string) =>
  view.db
    .selectFrom('orders')
    .select('id')
    .where('source', '=', source)
    .where('external_id', '=', externalId)
    .executeTakeFirst()

/** Locks the order and reads it with its lines. */
export async function lockOrder(work: Work, id: string): Promise<OrderWithLines | undefined> {
  await work.db.selectFrom('orders').select('id').where('id', '=', id).forNoKeyUpdate().execute()
  return selectOrder(work, id)
}

export type EntryRow = Omit<
  Selectable<Ledger>,
  'organization_id' | 'xid' | 'personal' | 'personal_salt' | 'traceparent' | 'schema_version'
>

/** What the ledger says of one order, oldest first. */
export function selectTimeline(view: View, orderId: string, { limit, direction, position }: PageRequest) {
  const forward = direction === 'forward'
  let rows = view.db
    .selectFrom('ledger')
    .select([
      'id',
      'type',
      'occurred_at',
      'actor',
      'request_id',
      'resource_type',
      'resource_id',
      'resource_version',
      'changed',
      'data',
    ])
    .where('resource_id', '=', orderId)
    .orderBy('resource_version', forward ? 'asc' : 'desc')
    .limit(limit + 1)
  if (position) rows = rows.where('resource_version', forward ? '>' : '<', Number(position[0]))
  return rows.execute()
}
