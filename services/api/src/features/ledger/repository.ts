import { runSql } from '#platform/database.ts'
import type { PublishedEvent } from '#platform/event-chain.ts'
import { type EventRow, eventColumnsOf, eventOf } from '#platform/event-row.ts'
import type { View } from '#platform/work.ts'
import type { EventFilter } from './filter.ts'

/** Events after a position, in their order, and how far the sequence had come when they were read. */
export interface EventBatch {
  readonly events: readonly PublishedEvent[]
  readonly head: number
  /** The newest event that retention has dropped; 0: none. */
  readonly floor: number
}

export interface Heads {
  readonly head: number
  readonly floor: number
}

/** How far the sequence reaches, and where it begins; both 0 before the first event. */
export async function selectHeads(view: View): Promise<Heads> {
  const row = await view.db.selectFrom('event_heads').select(['sequence', 'floor_sequence']).executeTakeFirst()
  return { head: row?.sequence ?? 0, floor: row?.floor_sequence ?? 0 }
}

/**
 * At most `limit` events after a position. The floor is read after them: a partition that was dropped meanwhile shows
 * in it, while a floor from before would hide the hole.
 */
export async function selectEvents(view: View, after: number, limit: number, filter: EventFilter): Promise<EventBatch> {
  const { text, parameters } = eventsQuery(after, limit, filter)
  const [rows, { head, floor }] = await Promise.all([
    runSql<PlacedRow & { readonly head: number }>(view.db, text, parameters),
    selectHeads(view),
  ])
  const events = rows.filter(({ id }) => id !== null).map((row) => eventOf(row, row.sequence))
  return { events, head: rows[0]?.head ?? head, floor }
}

export async function selectEvent(view: View, id: string, sources: EventFilter['sources']) {
  const restriction = sources === null ? '' : `and ${visible('$2')}`
  const text = `select ${contents} from events e ${joined}
    where e.${tenant} and e.id = $1 ${restriction}`
  const parameters = sources === null ? [id] : [id, listed(sources)]
  const [row] = await runSql<PlacedRow>(view.db, text, parameters)
  return row && eventOf(row, row.sequence)
}

interface PlacedRow extends EventRow {
  readonly id: string
  readonly sequence: number
}

const contents = `e.id, e.sequence, ${eventColumnsOf('l')}`
const tenant = `organization_id = current_setting('app.organization_id')`
const joined = 'join ledger l on l.organization_id = e.organization_id and l.id = e.id'
/** A credential that is bound to sources sees their orders and nothing else. */
const visible = (sources: string) => `e.resource_type = 'order' and l.data ->> 'source' = any(${sources})`
const listed = (names: ReadonlySet<string>): string[] => [...names]

/** Several types are read one by one from their index and merged: no filter makes it read more than its own events. */
function eventsQuery(after: number, limit: number, { types, resource, sources }: EventFilter) {
  const parameters: unknown[] = [after, limit]
  const conditions = [`e.${tenant}`, 'e.sequence > $1']
  if (resource !== null) conditions.push(`e.resource_id = $${parameters.push(resource)}`)
  if (sources !== null) conditions.push(visible(`$${parameters.push(listed(sources))}::text[]`))
  const named = types && `$${parameters.push(listed(types))}::text[]`
  const isMerged = named !== null && resource === null
  if (isMerged) conditions.push('e.type = t.type')
  else if (named !== null) conditions.push(`e.type = any(${named})`)
  const page = `select e.organization_id, e.sequence, e.id, e.type from events e ${sources === null ? '' : joined}
    where ${conditions.join(' and ')} order by e.sequence limit $2`
  const merged = `select p.* from unnest(${named}) t(type) cross join lateral (${page}) p order by p.sequence limit $2`
  // Head and events of one snapshot: what lies between the last event and the head has been looked at.
  const text = `select h.sequence as head, ${contents}
    from event_heads h left join ((${isMerged ? merged : page}) e ${joined}) on true
    where h.${tenant} order by e.sequence`
  return { text, parameters }
}
