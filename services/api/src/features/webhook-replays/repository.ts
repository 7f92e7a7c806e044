import { type Selectable, sql } from 'kysely'
import { type DeliveryRow, deliveryColumns } from '#features/webhook-delivery/index.ts'
import { boundTo } from '#features/webhooks/index.ts'
import { eventTypes } from '#platform/ledger.ts'
import { newestFirst, type PageRequest, selectPage, selectPageAmong } from '#platform/page.ts'
import type { WebhookAttempts } from '#platform/tables.gen.ts'
import type { View } from '#platform/work.ts'

export interface DeliveryFilter {
  readonly endpointId?: string
  readonly eventId?: string
  readonly state?: readonly string[]
  readonly type?: string
  readonly createdFrom?: string
  readonly createdTo?: string
}

/** Deliveries that the actor may know of: a key that is bound to sources, those to endpoints that are bound likewise. */
function knownDeliveries({ db, actor: { sources } }: View) {
  const rows = db.selectFrom('webhook_deliveries').select(deliveryColumns)
  if (sources === null) return rows
  return rows.where('endpoint_id', 'in', db.selectFrom('webhook_endpoints').select('id').where(boundTo(sources)))
}

const knownTypes: ReadonlySet<string> = new Set(eventTypes)

/**
 * Newest first. A type stands in the text, where the planner sees whether it is a rare one: as a parameter of a table
 * with one common type, it would be looked for among all rows. Of types that there are not there are no deliveries.
 */
export async function selectDeliveries(view: View, filter: DeliveryFilter, page: PageRequest): Promise<DeliveryRow[]> {
  const { endpointId, eventId, state, type, createdFrom, createdTo } = filter
  if (type !== undefined && !knownTypes.has(type)) return []
  let rows = knownDeliveries(view)
  if (endpointId !== undefined) rows = rows.where('endpoint_id', '=', endpointId)
  if (eventId !== undefined) rows = rows.where('event_id', '=', eventId)
  if (type !== undefined) rows = rows.where('event_type', '=', sql.lit(type))
  if (createdFrom !== undefined) rows = rows.where(madeSince(new Date(createdFrom)))
  if (createdTo !== undefined) rows = rows.where(madeBefore(new Date(createdTo)))
  if (state === undefined) return selectPage(rows, newestFirst, page).execute()
  return selectPageAmong(view.db, rows, { column: 'state', values: state }, newestFirst, page)
}

/** Ids are in the order of time as each process sees it: they bound the scan, the column decides. */
const clockSkew = sql`interval '1 hour'`
const madeSince = (time: Date) =>
  sql<boolean>`created_at >= ${time}::timestamptz and id >= time_id('dlv', ${time}::timestamptz - ${clockSkew})`
const madeBefore = (time: Date) =>
  sql<boolean>`created_at < ${time}::timestamptz and id < time_id('dlv', ${time}::timestamptz + ${clockSkew})`

export const selectKnownDelivery = (view: View, id: string): Promise<DeliveryRow | undefined> =>
  knownDeliveries(view).where('id', '=', id).executeTakeFirst()

export type AttemptRow = Omit<Selectable<WebhookAttempts>, 'organization_id' | 'delivery_id' | 'endpoint_id'>

/** The latest attempts, the newest first. */
export const selectAttempts = (view: View, deliveryId: string, limit: number): Promise<AttemptRow[]> =>
  view.db
    .selectFrom('webhook_attempts')
    .select(['id', 'number', 'at', 'duration_ms', 'status', 'error', 'response_excerpt'])
    .where('delivery_id', '=', deliveryId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()

/** Sequence of an event; undefined: no such event, or not numbered yet. */
export async function selectSequence(view: View, eventId: string): Promise<number | undefined> {
  const row = await view.db.selectFrom('events').select('sequence').where('id', '=', eventId).executeTakeFirst()
  return row?.sequence
}

/** Events up to this sequence have been dropped by retention. */
export async function selectFloor(view: View): Promise<number> {
  const row = await view.db.selectFrom('event_heads').select('floor_sequence').executeTakeFirst()
  return row?.floor_sequence ?? 0
}
