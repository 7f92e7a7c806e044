import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentEntry, presentOrder } from './present.ts'
import { OrderNotFound } from './problems.ts'
import { selectExternalOrder, selectOrder, selectTimeline } from './repository.ts'
import type { Order, TimelineEntry } from './schemas.ts'

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

export async function readTimeline(view: View, orderId: string, page: PageRequest): Promise<Page<TimelineEntry>> {
  const entries = await selectTimeline(view, orderId, page)
  const isUnproven = entries.length === 0 || view.actor.sources !== null
  if (isUnproven && !(await selectOrder(view, orderId))) throw new OrderNotFound()
  return toPage(entries, page, (entry) => [entry.resource_version], presentEntry)
}
