import { type Selectable, sql } from 'kysely'
import type { PageRequest } from '#platform/page.ts'
import type { Ledger, OrderLines, Orders } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type OrderRow = Omit<Selectable<Orders>, 'organization_id'>
export type LineRow = Omit<Selectable<OrderLines>, 'organization_id' | 'order_id'>
export type OrderWithLines = OrderRow & { readonly lines: readonly LineRow[] }

export const orderColumns = [
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
  'customer',
  'shipping_address',
  'billing_address',
  'notes',
  'metadata',
  'cancel_reason',
  'expires_at',
  'placed_at',
  'confirmed_at',
  'closed_at',
  'version',
  'created_at',
  'updated_at',
] as const
export const lineColumns = [
  'position',
  'id',
  'sku',
  'title',
  'tracked',
  'quantity',
  'quantity_cancelled',
  'quantity_fulfilled',
  'quantity_backordered',
  'unit_price_amount',
  'discount_amount',
  'tax_amount',
  'total_amount',
  'metadata',
] as const

export async function selectOrder(view: Pick<View, 'db'>, id: string): Promise<OrderWithLines | undefined> {
  const [order, lines] = await Promise.all([
    view.db.selectFrom('orders').select(orderColumns).where('id', '=', id).executeTakeFirst(),
    view.db.selectFrom('order_lines').select(lineColumns).where('order_id', '=', id).orderBy('position').execute(),
  ])
  return order && { ...order, lines }
}

/** These orders with their lines. */
export async function selectOrdersWithLines(view: Pick<View, 'db'>, ids: readonly string[]): Promise<OrderWithLines[]> {
  const [orders, lines] = await Promise.all([
    view.db.selectFrom('orders').select(orderColumns).where('id', '=', sql<string>`any(${ids})`).execute(),
    view.db
      .selectFrom('order_lines')
      .select([...lineColumns, 'order_id'])
      .where('order_id', '=', sql<string>`any(${ids})`)
      .orderBy('position')
      .execute(),
  ])
  const byOrder = Map.groupBy(lines, ({ order_id }) => order_id)
  return orders.map((order) => ({
    ...order,
    lines: (byOrder.get(order.id) ?? []).map(({ order_id: _id, ...line }) => line),
  }))
}

/** Orders that exist under these sources and external ids. */
export async function selectExternalOrders(
  work: Work,
  named: readonly { readonly source: string; readonly externalId: string }[],
) {
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

/** Ends an order: every unit of it is cancelled. */
export async function closeOrder(
  work: Work,
  { id, ...change }: Pick<OrderRow, 'id' | 'status' | 'cancel_reason' | 'version'>,
) {
  await Promise.all([
    work.db
      .updateTable('orders')
      .set({ ...change, expires_at: null, closed_at: work.now, updated_at: work.now })
      .where('id', '=', id)
      .execute(),
    work.db
      .updateTable('order_lines')
      .set({ quantity_cancelled: sql`quantity`, quantity_backordered: 0 })
      .where('order_id', '=', id)
      .execute(),
  ])
}

export interface OrderFilter {
  readonly status?: readonly string[]
  readonly source?: string
  readonly number?: string
  readonly placedFrom?: string
  readonly placedTo?: string
}

/** Newest first. */
export function selectOrders(
  view: View,
  filter: OrderFilter,
  { limit, direction, position }: PageRequest,
): Promise<OrderRow[]> {
  const forward = direction === 'forward'
  let rows = view.db
    .selectFrom('orders')
    .select(orderColumns)
    .orderBy('id', forward ? 'desc' : 'asc')
    .limit(limit + 1)
  if (position) rows = rows.where('id', forward ? '<' : '>', String(position[0]))
  if (filter.status !== undefined) rows = rows.where('status', '=', sql<string>`any(${filter.status})`)
  if (filter.source !== undefined) rows = rows.where('source', '=', filter.source)
  if (filter.number !== undefined) rows = rows.where('number', '=', filter.number)
  if (filter.placedFrom !== undefined) rows = rows.where('placed_at', '>=', new Date(filter.placedFrom))
  if (filter.placedTo !== undefined) rows = rows.where('placed_at', '<', new Date(filter.placedTo))
  return rows.execute()
}

/** Pending orders whose time is up, of all organizations. */
export const selectDueOrders = (db: Work['db'], now: Date, limit: number) =>
  db
    .selectFrom('orders')
    .select(['organization_id', 'id'])
    .where('status', '=', 'pending')
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
    .execute()

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
