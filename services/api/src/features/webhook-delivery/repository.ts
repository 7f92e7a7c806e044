import { type Selectable, sql } from 'kysely'
import { runSql } from '#platform/database.ts'
import { newId } from '#platform/id.ts'
import type { WebhookDeliveries, WebhookEndpoints } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type EndpointRow = Omit<Selectable<WebhookEndpoints>, 'organization_id'>
export type DeliveryRow = Omit<Selectable<WebhookDeliveries>, 'organization_id'>

export const endpointColumns = [
  'id',
  'principal_id',
  'url',
  'description',
  'types',
  'allowed_sources',
  'ordering',
  'state',
  'disabled_reason',
  'max_concurrency',
  'consecutive_failures',
  'failing_since',
  'next_probe_at',
  'probe_count',
  'metadata',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
] as const

export const deliveryColumns = [
  'id',
  'endpoint_id',
  'event_id',
  'event_type',
  'sequence',
  'resource_id',
  'replay_of',
  'payload',
  'state',
  'attempts',
  'attempts_left',
  'due_at',
  'leased_until',
  'leased_by',
  'last_status',
  'last_error',
  'version',
  'created_at',
  'delivered_at',
] as const

/** Attempts of a delivery before it is dead. */
export const mostAttempts = 3

export const lockEndpoint = (work: Work, id: string): Promise<EndpointRow | undefined> =>
  work.db
    .selectFrom('webhook_endpoints')
    .select(endpointColumns)
    .where('id', '=', id)
    .where('archived_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()

/** Writes what the engine changes of an endpoint that is locked. */
export function writeEndpoint(work: Work, row: EndpointRow): Promise<unknown> {
  const { state, disabled_reason, consecutive_failures, failing_since, next_probe_at, probe_count } = row
  const change = { state, disabled_reason, consecutive_failures, failing_since, next_probe_at, probe_count }
  return work.db
    .updateTable('webhook_endpoints')
    .set({ ...change, version: row.version, updated_at: row.updated_at })
    .where('id', '=', row.id)
    .execute()
}

export const selectDelivery = (view: View, id: string): Promise<DeliveryRow | undefined> =>
  view.db.selectFrom('webhook_deliveries').select(deliveryColumns).where('id', '=', id).executeTakeFirst()

export const insertDelivery = (work: Work, row: DeliveryRow): Promise<unknown> =>
  work.db.insertInto('webhook_deliveries').values(row).execute()

/** A delivery that is due at once. */
export const newDelivery = (
  work: Work,
  about: Pick<DeliveryRow, 'endpoint_id' | 'event_id' | 'event_type' | 'sequence' | 'resource_id'>,
  rest: Partial<Pick<DeliveryRow, 'replay_of' | 'payload' | 'attempts_left'>> = {},
): DeliveryRow => ({
  ...about,
  id: newId('dlv'),
  replay_of: null,
  payload: null,
  state: 'pending',
  attempts: 0,
  attempts_left: mostAttempts,
  due_at: work.now,
  leased_until: null,
  leased_by: null,
  last_status: null,
  last_error: null,
  version: 0,
  created_at: work.now,
  delivered_at: null,
  ...rest,
})

/** Deliveries that one transaction changes, each in a dozen indexes. */
export const batchSize = 1_000

/**
 * Makes due at once, in the order of their events, a batch of deliveries that are dead or wait for a later attempt. Returns
 * how many it found. States and the limit are constants of the statement: as parameters they would not say which of the
 * partial indexes will do, and how little is wanted.
 */
export const reviveDeliveries = (work: Work, endpointId: string): Promise<number> =>
  changeFound(work, reviveText, [endpointId, work.now])

const mine = `organization_id = current_setting('app.organization_id') and endpoint_id = $1`
const reviveText = changeText(
  `(select id from webhook_deliveries where ${mine} and state = 'dead' and payload is null order by id limit ${batchSize})
   union all
   (select id from webhook_deliveries where ${mine} and state = 'pending' and due_at > $2 and payload is null
    order by due_at, sequence limit ${batchSize})
   limit ${batchSize}`,
  `state = 'pending', due_at = least(created_at, $2),
   attempts_left = case state when 'dead' then ${mostAttempts} else attempts_left end`,
  `state in ('dead', 'pending')`,
)

/** Ends a batch of deliveries that have not arrived, tests apart, so that nothing more is sent. Returns how many it found. */
export const cancelDeliveries = (work: Work, endpointId: string): Promise<number> =>
  changeFound(work, cancelText, [endpointId])

const isOpen = `state in ('pending', 'sending')`
const cancelText = changeText(
  `select id from webhook_deliveries where ${mine} and ${isOpen} and payload is null
   order by resource_id, sequence limit ${batchSize}`,
  `state = 'cancelled', leased_until = null, leased_by = null`,
  isOpen,
)

/** Ends the tests of an endpoint that are not on their way. */
export const cancelTests = (work: Work, endpointId: string): Promise<unknown> =>
  work.db
    .updateTable('webhook_deliveries')
    .set({ state: 'cancelled' })
    .where('endpoint_id', '=', endpointId)
    .where(sql<boolean>`state = 'pending'`)
    .where('payload', 'is not', null)
    .execute()

/** Found first and changed by their keys: a join could look through all there are. */
function changeText(found: string, change: string, condition: string): string {
  return `with found as materialized (${found}), changed as (
      update webhook_deliveries set ${change}
      where organization_id = current_setting('app.organization_id') and id = any(array(select id from found)) and ${condition}
    )
    select count(*)::integer as found from found`
}

async function changeFound(work: Work, text: string, values: readonly unknown[]): Promise<number> {
  const [row] = await runSql<{ readonly found: number }>(work.db, text, values)
  return row?.found ?? 0
}

/** Events of a range, by sequence; `types` null: all types. */
export interface EventRange {
  readonly after: number
  readonly upTo: number
  readonly types: readonly string[] | null
  readonly resourceId: string | null
  readonly limit: number
}

export interface EventRow {
  readonly id: string
  readonly type: string
  readonly sequence: number
  readonly resource_type: string
  readonly resource_id: string
  readonly source: string | null
  /** The first delivery of the event to the endpoint. */
  readonly delivery_id: string | null
  readonly delivery_state: string | null
  /** Whether any delivery of it has arrived, replays among them. */
  readonly arrived: boolean
  readonly about_endpoint_id: string | null
}

/** Events of a range in order, with what came of each for one endpoint. */
export async function selectEvents(work: Work, endpointId: string, range: EventRange): Promise<readonly EventRow[]> {
  const { after, upTo, types, resourceId, limit } = range
  const parameters = [endpointId, after, upTo, types, resourceId, limit]
  return runSql<EventRow>(work.db, eventsText, parameters)
}

const eventsText = `select e.id, e.type, e.sequence, e.resource_type, e.resource_id, l.data ->> 'source' as source,
    case when e.type like 'webhook.%' then coalesce(l.data ->> 'endpointId', e.resource_id) end as about_endpoint_id,
    d.id as delivery_id, d.state as delivery_state,
    exists (select from webhook_deliveries a where a.organization_id = e.organization_id and a.event_id = e.id
      and a.endpoint_id = $1 and a.state = 'delivered') as arrived
  from events e
  join ledger l on l.organization_id = e.organization_id and l.id = e.id
  left join webhook_deliveries d on d.organization_id = e.organization_id and d.event_id = e.id
    and d.endpoint_id = $1 and d.replay_of is null
  where e.organization_id = current_setting('app.organization_id') and e.sequence > $2 and e.sequence <= $3
    and ($4::text[] is null or e.type = any($4)) and ($5::text is null or e.resource_id = $5)
  order by e.sequence limit $6`

export async function insertDeliveries(work: Work, rows: readonly DeliveryRow[]): Promise<void> {
  if (rows.length === 0) return
  await runSql(work.db, insertText, [JSON.stringify(rows)])
}

const insertText = `insert into webhook_deliveries (${deliveryColumns.join(', ')})
  select ${deliveryColumns.join(', ')} from json_populate_recordset(null::webhook_deliveries, $1::json)
  on conflict do nothing`

/** Makes deliveries that ended without arriving due again. */
export async function renewDeliveries(work: Work, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await work.db
    .updateTable('webhook_deliveries')
    .set({ state: 'pending', attempts_left: mostAttempts, due_at: work.now })
    .where('id', 'in', [...ids])
    .where('state', 'in', ['dead', 'cancelled'])
    .execute()
}

/** The delivery of an attempt, locked, unless it has been taken from this worker meanwhile. */
export const lockLeased = (work: Work, id: string, worker: string): Promise<DeliveryRow | undefined> =>
  work.db
    .selectFrom('webhook_deliveries')
    .select(deliveryColumns)
    .where('id', '=', id)
    .where('state', '=', 'sending')
    .where('leased_by', '=', worker)
    .forNoKeyUpdate()
    .executeTakeFirst()

/** Writes what came of an attempt of a delivery that is locked; its lease ends with it. */
export const writeOutcome = (
  work: Work,
  id: string,
  outcome: Pick<
    DeliveryRow,
    'state' | 'attempts' | 'attempts_left' | 'due_at' | 'last_status' | 'last_error' | 'version' | 'delivered_at'
  >,
): Promise<DeliveryRow> =>
  work.db
    .updateTable('webhook_deliveries')
    .set({ ...outcome, leased_by: null, leased_until: null })
    .where('id', '=', id)
    .returning(deliveryColumns)
    .executeTakeFirstOrThrow()
