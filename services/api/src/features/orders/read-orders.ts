import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentEntry, presentOrder, presentSummary } from './present.ts'
import { OrderNotFound } from './problems.ts'
import { type OrderFilter, selectExternalOrder, selectOrder, selectOrders, selectTimeline } from './repository.ts'
import type { Order, OrderSummary, TimelineEntry } from './schemas.ts'

export async function getOrder(view: View, orderId: string): Promise<Order> {
  const row = await selectOrder(view, orderId)
  if (!row) throw new OrderNotFound()
  return presentOrder(row, view.actor.scopes)
}

export async function getExternalOrder(view: View, source: string, externalId: string): Promise<Order> {
  const found = await selectExternalOrder(view, source, externalId)
  if (!found) throw new OrderNotFound()
  return getOrder(view, found.id)
}

export async function listOrders(view: View, filter: OrderFilter, page: PageRequest): Promise<Page<OrderSummary>> {
  return toPage(await selectOrders(view, filter, page), page, ({ id }) => [id], presentSummary)
}

export async function readTimeline(view: View, orderId: string, page: PageRequest): Promise<Page<TimelineEntry>> {
  const entries = await selectTimeline(view, orderId, page)
  if (entries.length === 0 && !(await selectOrder(view, orderId))) throw new OrderNotFound()
  return toPage(entries, page, (entry) => [entry.resource_version], presentEntry)
}
