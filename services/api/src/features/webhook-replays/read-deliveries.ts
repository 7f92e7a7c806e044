import { presentDelivery } from '#features/webhook-delivery/index.ts'
import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import { timestamp } from '#platform/wire.ts'
import type { View } from '#platform/work.ts'
import { WebhookDeliveryNotFound } from './problems.ts'
import {
  type AttemptRow,
  type DeliveryFilter,
  selectAttempts,
  selectDeliveries,
  selectKnownDelivery,
} from './repository.ts'
import {
  mostAttemptsShown,
  type WebhookAttempt,
  type WebhookDelivery,
  type WebhookDeliveryWithAttempts,
} from './schemas.ts'

export async function listDeliveries(
  view: View,
  filter: DeliveryFilter,
  page: PageRequest,
): Promise<Page<WebhookDelivery>> {
  return toPage(await selectDeliveries(view, filter, page), page, ({ id }) => [id], presentDelivery)
}

export async function getDelivery(view: View, deliveryId: string): Promise<WebhookDeliveryWithAttempts> {
  const [row, attempts] = await Promise.all([
    selectKnownDelivery(view, deliveryId),
    selectAttempts(view, deliveryId, mostAttemptsShown),
  ])
  if (!row) throw new WebhookDeliveryNotFound()
  return { ...presentDelivery(row), attemptLog: attempts.reverse().map(presentAttempt) }
}

const presentAttempt = (row: AttemptRow): WebhookAttempt => ({
  id: row.id,
  number: row.number,
  at: timestamp(row.at),
  durationMs: row.duration_ms,
  status: row.status,
  error: row.error,
  responseExcerpt: row.response_excerpt,
})
