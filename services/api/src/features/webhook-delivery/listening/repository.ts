import { runSql, type Transaction } from '#platform/database.ts'
import { newId } from '#platform/id.ts'
import type { NumberedEvent } from '#platform/relay/fan-out.ts'
import type { EndpointRow } from '../repository.ts'
import { column, type Tenancy } from '../sending/repository.ts'

export type Listening = Tenancy & Pick<EndpointRow, 'id' | 'types' | 'allowed_sources'>

/** Endpoints of these organizations that are to hear of events; a failing one hears of them when it has recovered. */
export const selectListening = (db: Transaction, organizationIds: readonly string[]): Promise<readonly Listening[]> =>
  runSql(
    db,
    `select organization_id, id, types, allowed_sources from webhook_endpoints
     where organization_id = any($1) and state <> 'disabled' and archived_at is null`,
    [organizationIds],
  )

export interface FannedOut {
  readonly endpointId: string
  readonly event: NumberedEvent
}

/** First deliveries of events, due at once; never in the future, whatever the clock was that stamped the event. */
export const insertFannedOut = (db: Transaction, rows: readonly FannedOut[]): Promise<unknown> =>
  runSql(db, fannedOutText, [
    column(rows, ({ event }) => event.organizationId),
    column(rows, () => newId('dlv')),
    column(rows, ({ endpointId }) => endpointId),
    column(rows, ({ event }) => event.id),
    column(rows, ({ event }) => event.type),
    column(rows, ({ event }) => event.sequence),
    column(rows, ({ event }) => event.resource.id),
    column(rows, ({ event }) => event.occurredAt),
  ])

const fannedOutText = `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence,
    resource_id, due_at, created_at)
  select organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, least(at, now()), least(at, now())
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[])
    g (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, at)
  on conflict do nothing`
