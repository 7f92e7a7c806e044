import type { FastifyInstance } from 'fastify'
import { auditRoutes } from '#features/audit/index.ts'
import { auditExportRoutes } from '#features/audit-exports/index.ts'
import { fillBackorders } from '#features/backorders/index.ts'
import { catalogRoutes } from '#features/catalog/index.ts'
import { checkpointRoutes } from '#features/checkpoints/index.ts'
import { eventTypeRoutes } from '#features/event-types/index.ts'
import { identityRoutes } from '#features/identity/index.ts'
import { inventoryRoutes } from '#features/inventory/index.ts'
import { jobRoutes } from '#features/jobs/index.ts'
import { createFeeds, eventRoutes } from '#features/ledger/index.ts'
import { orderChangeRoutes } from '#features/order-changes/index.ts'
import { orderListRoutes } from '#features/order-lists/index.ts'
import { orderRoutes } from '#features/orders/index.ts'
import { reservationRoutes } from '#features/reservations/index.ts'
import { webhookReplayRoutes } from '#features/webhook-replays/index.ts'
import { webhookRoutes } from '#features/webhooks/index.ts'
import type { Runtime } from './runtime.ts'

/** Every feature's routes. */
export function addRoutes(http: FastifyInstance, runtime: Runtime): void {
  identityRoutes(http)
  catalogRoutes(http)
  reservationRoutes(http)
  orderRoutes(http)
  orderListRoutes(http)
  orderChangeRoutes(http)
  jobRoutes(http, runtime)
  eventRoutes(http, createFeeds(runtime))
  eventTypeRoutes(http)
  webhookRoutes(http, runtime)
  webhookReplayRoutes(http)
  inventoryRoutes(http, fillBackorders)
  auditRoutes(http)
  checkpointRoutes(http)
  auditExportRoutes(http)
}
