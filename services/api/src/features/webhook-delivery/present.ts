import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { DeliveryRow, EndpointRow } from './repository.ts'

/** An endpoint as the API returns it and the ledger keeps it. */
export const presentEndpoint = (row: EndpointRow) => ({
  id: row.id,
  url: row.url,
  description: row.description,
  types: row.types,
  allowedSources: row.allowed_sources,
  ordering: row.ordering as 'none' | 'perResource',
  state: row.state as 'active' | 'failing' | 'disabled',
  disabledReason: row.disabled_reason,
  maxConcurrency: row.max_concurrency,
  failingSince: timestampOrNull(row.failing_since),
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})

/** A delivery as the API returns it and the ledger keeps it. */
export const presentDelivery = (row: DeliveryRow) => ({
  id: row.id,
  endpointId: row.endpoint_id,
  eventId: row.event_id,
  eventType: row.event_type,
  sequence: row.sequence,
  resourceId: row.resource_id,
  replayOf: row.replay_of,
  state: row.state as 'pending' | 'sending' | 'delivered' | 'dead' | 'cancelled',
  attempts: row.attempts,
  lastStatus: row.last_status,
  lastError: row.last_error,
  dueAt: row.state === 'pending' ? timestamp(row.due_at) : null,
  createdAt: timestamp(row.created_at),
  deliveredAt: timestampOrNull(row.delivered_at),
})
