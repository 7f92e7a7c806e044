import { type Selectable, sql } from 'kysely'
import { eventColumns } from '#platform/event-row.ts'
import { type PageRequest, selectPage } from '#platform/page.ts'
import type { Ledger, OrderHolds, OrderLines, Orders } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type OrderRow = Omit<Selectable<Orders>, 'organization_id' | 'customer_email'>
export type SummaryRow = Pick<OrderRow, (typeof summaryColumns)[number]>
export type LineRow = Omit<Selectable<OrderLines>, 'organization_id' | 'order_id'>
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
export const orderColumns = [
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

const holdColumns = ['id', 'kind', 'blocks', 'reason', 'created_at'] as const

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
      .select(holdColumns)
      .where('order_id', '=', id)
      .where('released_at', 'is', null)
      .orderBy('id')
      .execute(),
  ])
  return order && { ...order, lines, holds }
}

/** These orders with their lines and holds, whoever asks. */
export async function selectOrdersWithLines(view: Pick<View, 'db'>, ids: readonly string[]): Promise<OrderWithLines[]> {
  const [orders, lines, holds] = await Promise.all([
    view.db.selectFrom('orders').select(orderColumns).where('id', '=', sql<string>`any(${ids})`).execute(),
    view.db
      .selectFrom('order_lines')
      .select([...lineColumns, 'order_id'])
      .where('order_id', '=', sql<string>`any(${ids})`)
      .orderBy('position')
      .execute(),
    view.db
      .selectFrom('order_holds')
      .select([...holdColumns, 'order_id'])
      .where('order_id', '=', sql<string>`any(${ids})`)
      .where('released_at', 'is', null)
      .orderBy('id')
      .execute(),
  ])
  const heldBy = Map.groupBy(holds, ({ order_id }) => order_id)
  const byOrder = Map.groupBy(lines, ({ order_id }) => order_id)
  return orders.map((order) => ({
    ...order,
    lines: (byOrder.get(order.id) ?? []).map(({ order_id: _id, ...line }) => line),
    holds: (heldBy.get(order.id) ?? []).map(({ order_id: _id, ...hold }) => hold),
  }))
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

export type EntryRow = Pick<Selectable<Ledger>, 'id' | (typeof eventColumns)[number]>

/** What the ledger says of one order, oldest first. */
export function selectTimeline(view: View, orderId: string, page: PageRequest) {
  const entries = view.db
    .selectFrom('ledger')
    .select(['id', ...eventColumns])
    .where('resource_id', '=', orderId)
  return selectPage(entries, { columns: ['resource_version'], order: 'asc' }, page).execute()
}
