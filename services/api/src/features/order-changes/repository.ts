import { sql, type Updateable } from 'kysely'
import type { OrderWithLines } from '#features/orders/index.ts'
import { runSql } from '#platform/database.ts'
import type { Orders } from '#platform/tables.gen.ts'
import type { Work } from '#platform/work.ts'

type OrderRow = Omit<OrderWithLines, 'lines' | 'holds'>
export type LineRow = OrderWithLines['lines'][number]
type HoldRow = OrderWithLines['holds'][number]

/** Changes an order that is locked; every change has a version of its own. */
export async function updateOrder(
  work: Work,
  id: string,
  change: Partial<OrderRow> & Pick<OrderRow, 'version'>,
): Promise<void> {
  await work.db
    .updateTable('orders')
    .set({ ...(change as Updateable<Orders>), updated_at: work.now })
    .where('id', '=', id)
    .execute()
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

/** Pending orders whose time is up, of all organizations. */
export const selectDueOrders = (db: Work['db'], now: Date, limit: number) =>
  db
    .selectFrom('orders')
    .select(['organization_id', 'id'])
    // In the text, not as a parameter: the index of what is due is one of pending orders.
    .where('status', '=', sql.lit('pending'))
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
    .execute()

/** What an order held until it expired is firm from now on. */
export async function firmReservations(work: Work, orderId: string): Promise<void> {
  await work.db
    .updateTable('reservations')
    .set({ state: 'firm', expires_at: null, version: sql`version + 1`, updated_at: work.now })
    .where('order_id', '=', orderId)
    .where('state', '=', 'held')
    .execute()
}

export async function insertHold(work: Work, orderId: string, hold: HoldRow): Promise<void> {
  await work.db
    .insertInto('order_holds')
    .values({ ...hold, order_id: orderId })
    .execute()
}

export async function releaseHold(work: Work, orderId: string, id: string): Promise<void> {
  await work.db
    .updateTable('order_holds')
    .set({ released_at: work.now })
    .where('order_id', '=', orderId)
    .where('id', '=', id)
    .execute()
}

export async function updateLine(work: Work, orderId: string, line: LineRow): Promise<void> {
  const { position, quantity_cancelled, quantity_backordered, discount_amount, tax_amount, total_amount } = line
  await work.db
    .updateTable('order_lines')
    .set({ quantity_cancelled, quantity_backordered, discount_amount, tax_amount, total_amount })
    .where('order_id', '=', orderId)
    .where('position', '=', position)
    .execute()
}

/** Writes which units of an order wait for stock; most orders have none. */
export async function setBackordered(work: Work, { id, lines }: OrderWithLines): Promise<void> {
  const waiting = lines.filter(({ quantity_backordered }) => quantity_backordered > 0)
  if (waiting.length === 0) return
  const counts = waiting.map(({ position, quantity_backordered }) => ({ position, quantity_backordered }))
  await runSql(work.db, backorderText, [JSON.stringify(counts), id])
}

const backorderText = `update order_lines l set quantity_backordered = w.quantity_backordered
  from json_to_recordset($1::json) as w (position integer, quantity_backordered integer)
  where l.organization_id = current_setting('app.organization_id') and l.order_id = $2 and l.position = w.position`
