import { columnArrays } from '#platform/column-arrays.ts'
import { runSql, type Transaction } from '#platform/database.ts'
import { newId } from '#platform/id.ts'
import type { NumberedEvent } from '#platform/relay/fan-out.ts'
import type { EndpointRow } from '../repository.ts'
import type { Tenancy } from '../sending/repository.ts'

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
  runSql(db, fannedOutText, deliveryArrays.parameters(rows.map(deliveryOf)))

const deliveryOf = ({ endpointId, event }: FannedOut) => ({
  organization_id: event.organizationId,
  id: newId('dlv'),
  endpoint_id: endpointId,
  event_id: event.id,
  event_type: event.type,
  sequence: event.sequence,
  resource_id: event.resource.id,
  created_at: event.occurredAt,
})
const deliveryArrays = columnArrays({
  organization_id: 'token',
  id: 'token',
  endpoint_id: 'token',
  event_id: 'token',
  event_type: 'token',
  sequence: 'bigint',
  resource_id: 'text',
  created_at: 'timestamptz(3)',
})
const fannedOutText = `insert into webhook_deliveries (${deliveryArrays.names}, due_at)
  select organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, least(created_at, now()),
    least(created_at, now())
  from ${deliveryArrays.from('d', 1)}
  on conflict do nothing`
