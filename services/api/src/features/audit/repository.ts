import type { Selectable } from 'kysely'
import { typesMatching } from '#features/ledger/index.ts'
import { runSql } from '#platform/database.ts'
import { noHash } from '#platform/event-chain.ts'
import { eventColumns } from '#platform/event-row.ts'
import type { JobEnd } from '#platform/jobs.ts'
import type { PageRequest } from '#platform/page.ts'
import type { LedgerVerifications } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'
import type { Finding, Link, StoredContent, StoredEvent } from './check-event.ts'
import type { Entry } from './list-entries.ts'
import type { EntryFilter } from './schemas.ts'
import type { Outcome } from './verify-ledger.ts'

type Reading = Pick<View, 'db'>

/** How far the ledger reaches by what was written down about it, and by what is there; of one moment. */
export interface Extent {
  /** The newest event by event_heads. */
  readonly head: Link
  /** The newest event that retention has dropped; position 0: none. */
  readonly floor: Link
  /** The newest event there is. */
  readonly lastEvent: number
  /** The highest position a checkpoint was signed of. */
  readonly lastCheckpoint: number
}

export async function selectExtent(view: Reading): Promise<Extent> {
  const [row] = await runSql<ExtentRow>(view.db, extentText)
  return {
    head: { sequence: row?.sequence ?? 0, hash: hex(row?.hash) },
    floor: { sequence: row?.floor_sequence ?? 0, hash: hex(row?.floor_hash) },
    lastEvent: row?.last_event ?? 0,
    lastCheckpoint: row?.last_checkpoint ?? 0,
  }
}

interface ExtentRow {
  readonly sequence: number | null
  readonly hash: Buffer | null
  readonly floor_sequence: number | null
  readonly floor_hash: Buffer | null
  readonly last_event: number | null
  readonly last_checkpoint: number | null
}

const hex = (hash: Buffer | null | undefined): string => hash?.toString('hex') ?? noHash
const own = `organization_id = current_setting('app.organization_id')`
const extentText = `select h.sequence, h.hash, h.floor_sequence, h.floor_hash,
    (select sequence from events where ${own} order by sequence desc limit 1) as last_event,
    (select sequence from ledger_checkpoints where ${own} order by sequence desc limit 1) as last_checkpoint
  from (select) one left join event_heads h on h.${own}`

/** The event at a position; undefined when it is not there. */
export async function selectPlace(view: Reading, sequence: number): Promise<(Link & { id: string }) | undefined> {
  const rows = view.db.selectFrom('events').select(['id', 'hash']).where('sequence', '=', sequence)
  const row = await rows.orderBy('id').limit(1).executeTakeFirst()
  return row && { id: row.id, sequence, hash: row.hash.toString('hex') }
}

/** Events after a position and up to another with their ledger rows, in their order. */
export async function selectStoredEvents(
  view: Reading,
  after: number,
  upTo: number,
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await runSql<StoredEventRow>(view.db, storedText, [after, upTo, limit])
  return rows.map(storedEvent)
}

function storedEvent(row: StoredEventRow): StoredEvent {
  const { sequence, id, type, resource_type, resource_id, actor_id, occurred_at, personal_digest, hash } = row
  const event = { sequence, id, type, resource_type, resource_id, actor_id, occurred_at, personal_digest, hash }
  return { ...event, content: contentOf(row) }
}

type Recorded = { readonly [Name in keyof StoredContent as `l_${Name}`]: StoredContent[Name] }
type StoredEventRow = Omit<StoredEvent, 'content'> & Recorded & { readonly l_id: string | null }

const contentOf = (row: StoredEventRow): StoredContent | null => (row.l_id === null ? null : recorded(row))

const contentColumns = [...eventColumns, 'personal', 'personal_salt'] as const

const recorded = (row: StoredEventRow): StoredContent =>
  Object.fromEntries(contentColumns.map((name) => [name, row[`l_${name}`]])) as unknown as StoredContent

const storedColumns = `e.sequence, e.id, e.type, e.resource_type, e.resource_id, e.actor_id, e.occurred_at,
    e.personal_digest, e.hash, l.id as l_id, ${contentColumns.map((name) => `l.${name} as l_${name}`).join(', ')}`
const storedText = `select ${storedColumns}
  from events e left join ledger l on l.organization_id = e.organization_id and l.id = e.id
  where e.${own} and e.sequence > $1 and e.sequence <= $2
  order by e.sequence, e.id limit $3`

/** Newest first, as far as their ledger rows are there. Several types are read one by one from their index and merged. */
export async function selectEntries(view: View, filter: EntryFilter, page: PageRequest): Promise<Entry[]> {
  const { text, parameters } = entriesQuery(filter, page)
  const rows = await runSql<StoredEventRow & { readonly previous_hash: string | null }>(view.db, text, parameters)
  return rows.map((row) => ({ ...storedEvent(row), content: recorded(row), previous_hash: row.previous_hash }))
}

function entriesQuery({ actor, types, resource, from, to }: EntryFilter, { limit, direction, position }: PageRequest) {
  const forward = direction === 'forward'
  const parameters: unknown[] = [limit + 1]
  const is = (condition: string, value: unknown): string => `${condition} $${parameters.push(value)}`
  const conditions = [`e.${own}`]
  if (position) conditions.push(is(`e.sequence ${forward ? '<' : '>'}`, position[0]))
  if (actor !== undefined) conditions.push(is('e.actor_id =', actor))
  if (resource !== undefined) conditions.push(is('e.resource_id =', resource))
  if (from !== undefined) conditions.push(is('e.occurred_at >=', new Date(from)))
  if (to !== undefined) conditions.push(is('e.occurred_at <', new Date(to)))
  const named = typesMatching(types)
  if (named !== null) conditions.push('e.type = t.type')
  const order = `order by sequence ${forward ? 'desc' : 'asc'}, id ${forward ? 'desc' : 'asc'} limit $1`
  const found = `select e.* from events e where ${conditions.join(' and ')} ${order}`
  const merged = () => `select p.* from unnest($${parameters.push([...(named ?? [])])}::text[]) t(type)
    cross join lateral (${found}) p ${order}`
  const text = `select ${storedColumns}, encode(case when e.sequence = 1 then decode(repeat('00', 32), 'hex') else coalesce(
      (select hash from events b where b.${own} and b.sequence = e.sequence - 1 order by b.id limit 1),
      (select floor_hash from event_heads h where h.${own} and h.floor_sequence = e.sequence - 1)
    ) end, 'hex') as previous_hash
    from (${named === null ? found : merged()}) e cross join lateral (
      select * from ledger where ${own} and id = e.id limit 1
    ) l
    order by e.sequence ${forward ? 'desc' : 'asc'}, e.id ${forward ? 'desc' : 'asc'}`
  return { text, parameters }
}

/** A stretch of the ledger by id: where it ends, and its first row that should have been numbered and was not. */
export interface Stretch {
  /** Null: there was nothing left. */
  readonly lastId: string | null
  readonly finding: Finding | null
}

/**
 * The relay numbers every row up to its position, so a row without an event there was not recorded by the service. Nor
 * was one that claims to be of a transaction that has not begun. Before the relay has worked in this cluster, any row
 * may still be waiting.
 */
export async function selectUnnumbered(view: Reading, afterId: string, limit: number): Promise<Stretch> {
  const rows = await runSql<{ id: string; is_past: boolean | null }>(view.db, stretchText, [afterId, limit])
  const lastId = rows.at(-1)?.id ?? null
  if (lastId === null) return { lastId, finding: null }
  // After the rows, so that what the relay has been past shows its events.
  const events = await runSql<{ id: string }>(view.db, numberedText, [afterId, lastId])
  const numbered = new Set(events.map(({ id }) => id))
  const first = rows.find(({ id, is_past }) => is_past && !numbered.has(id))
  if (first === undefined) return { lastId, finding: null }
  const [before] = await runSql<{ sequence: number }>(view.db, beforeText, [first.id])
  const detail = `the ledger row ${first.id} was never numbered`
  return { lastId, finding: { position: (before?.sequence ?? 0) + 1, kind: 'unnumbered', detail } }
}

const stretchText = `select l.id, (select (l.xid, l.id) <= (r.position_xid, r.position_id)
      or l.xid >= pg_snapshot_xmax(pg_current_snapshot())
    from relay_state r where r.system_identifier = (select system_identifier::text from pg_control_system())) as is_past
  from ledger l where l.${own} and l.id > $1 order by l.id limit $2`
const numberedText = `select id from events where ${own} and id > $1 and id <= $2`
const beforeText = `select sequence from events where ${own} and id < $1 order by id desc limit 1`

export type VerificationRow = Omit<Selectable<LedgerVerifications>, 'organization_id' | 'outcome'> & {
  readonly outcome: Outcome | null
}

const verificationColumns = [
  ...(['id', 'state', 'first_sequence', 'last_sequence', 'kept', 'outcome', 'failure'] as const),
  ...(['created_at', 'completed_at'] as const),
] as const

export const insertVerification = (work: Work, row: VerificationRow): Promise<unknown> =>
  work.db
    .insertInto('ledger_verifications')
    .values({ ...row, outcome: row.outcome === null ? null : JSON.stringify(row.outcome) })
    .execute()

export async function selectVerification(view: Reading, id: string): Promise<VerificationRow | undefined> {
  const rows = view.db.selectFrom('ledger_verifications').select(verificationColumns).where('id', '=', id)
  const row = await rows.executeTakeFirst()
  return row && { ...row, outcome: row.outcome as unknown as Outcome | null }
}

/** What still has to be verified: one that has failed waits again. Undefined: there is nothing to do. */
export const resumeVerification = (work: Work, id: string) =>
  work.db
    .updateTable('ledger_verifications')
    .set({ state: 'queued', failure: null })
    .where('id', '=', id)
    .where('state', 'in', unended)
    .returning(['first_sequence', 'last_sequence', 'kept'])
    .executeTakeFirst()

export const giveUpVerification = (work: Work, id: string, { state, failure }: JobEnd): Promise<unknown> =>
  work.db
    .updateTable('ledger_verifications')
    .set({ state, failure: failure && JSON.stringify(failure) })
    .where('id', '=', id)
    .where('state', 'in', unended)
    .execute()

/** What a job may still bring to an end: one that has failed, when it is run again. */
export const unended = ['queued', 'failed']

/** Once: a verification that has its outcome keeps it. */
export const completeVerification = (work: Work, id: string, outcome: Outcome): Promise<unknown> =>
  work.db
    .updateTable('ledger_verifications')
    .set({ state: 'completed', outcome: JSON.stringify(outcome), failure: null, completed_at: work.now })
    .where('id', '=', id)
    .where('state', 'in', unended)
    .execute()
