import { type OrderSummary, presentSummary, type SummaryRow } from '#features/orders/index.ts'
import {
  type Page,
  type PagePosition,
  type PageRequest,
  type TablePage,
  type TableRequest,
  toPage,
} from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { countOrders, selectOrders, selectOrderTable } from './repository.ts'
import { type OrderFilter, sortOf } from './schemas.ts'

export async function listOrders(view: View, filter: OrderFilter, page: PageRequest): Promise<Page<OrderSummary>> {
  const positionOf = ({ id, placed_at }: SummaryRow): PagePosition =>
    sortOf(filter).endsWith('placedAt') ? [placed_at?.toISOString() ?? '', id] : [id]
  return toPage(await selectOrders(view, filter, page), page, positionOf, presentSummary)
}

export async function tabulateOrders(
  view: View,
  filter: OrderFilter,
  page: TableRequest,
): Promise<TablePage<OrderSummary>> {
  const [rows, totalItems] = await Promise.all([selectOrderTable(view, filter, page), countOrders(view, filter)])
  return { items: rows.map(presentSummary), totalItems }
}
