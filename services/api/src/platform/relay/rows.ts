import { columnArrays } from '../column-arrays.ts'
import { runSql, type Transaction } from '../database.ts'
import { type EventRow, eventColumns } from '../event-row.ts'
import type { ChainLink } from './numbering.ts'

/** The place of a ledger row in the order in which transactions began. */
export interface Position {
  /** A 64-bit transaction id as text. */
  readonly xid: string
  readonly id: string
}

export interface LedgerRow extends Position, EventRow {
  readonly organization_id: string
  readonly traceparent: string | null
  readonly personal: unknown
  readonly personal_salt: Uint8Array | null
}

export type FreshRow = LedgerRow & { readonly numbered: false }

/** A row as it was found, or only its place when it has an event already. */
export type FoundRow = FreshRow | (Position & { readonly numbered: true })

/** One version of a resource. */
export interface VersionOf {
  readonly organizationId: string
  readonly type: string
  readonly id: string
  readonly version: number
}

/** The newest event of an organization; `hash` in hex. */
export interface Head {
  readonly organizationId: string
  readonly sequence: number
  readonly hash: string
}

const content = [...eventColumns, 'traceparent', 'personal', 'personal_salt'].join(', ')

// Each `limit 1` keeps a look-up by key what it is: the planner cannot make a join over whole tables of it.
const numberedFlag = `(select true as numbered from events e
  where e.organization_id = w.organization_id and e.id = w.id limit 1)`
const rowOf = `(select ${content} from ledger l
  where n.numbered is null and l.organization_id = w.organization_id and l.id = w.id limit 1)`

const finishedText = `select w.*, n.numbered is not null as numbered
  from (
    select organization_id, id, xid, ${content} from ledger
    where (xid, id) > ((select position_xid from relay_state), (select position_id from relay_state))
      and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, id limit $1
  ) w
  left join lateral ${numberedFlag} n on true
  order by w.xid, w.id`

/** The next rows past the relay's position whose transactions have ended, as have all that began before them. */
export const readFinished = (db: Transaction, limit: number): Promise<readonly FoundRow[]> =>
  runSql(db, finishedText, [limit])

const visibleText = `select w.*, n.numbered is not null as numbered, l.*
  from (select organization_id, id, xid from ledger where (xid, id) > ($2::xid8, $3) order by xid, id limit $1) w
  left join lateral ${numberedFlag} n on true
  left join lateral ${rowOf} l on true
  order by w.xid, w.id`

/** The next visible rows past a position, whatever else has ended. */
export const readVisible = (db: Transaction, limit: number, { xid, id }: Position): Promise<readonly FoundRow[]> =>
  runSql(db, visibleText, [limit, xid, id])

const withoutEventText = `select w.*
  from unnest($1::text[], $2::text[], $3::text[], $4::integer[]) wanted (organization_id, type, id, version)
  cross join lateral (
    select organization_id, id, xid, ${content} from ledger l
    where l.organization_id = wanted.organization_id and l.resource_id = wanted.id and l.resource_type = wanted.type
      and l.resource_version = wanted.version
      and l.id >= case $5 when '' then '' else time_id('evt', id_time($5) - interval '1 hour') end
    limit 1
  ) w
  left join lateral ${numberedFlag} n on true
  where n.numbered is null`

/** Those of the versions that have no event; with `near`, an id, only what is at most an hour older. */
export async function readWithoutEvent(db: Transaction, versions: readonly VersionOf[], near: string) {
  if (versions.length === 0) return []
  return runSql<LedgerRow>(db, withoutEventText, [
    versions.map(({ organizationId }) => organizationId),
    versions.map(({ type }) => type),
    versions.map(({ id }) => id),
    versions.map(({ version }) => version),
    near,
  ])
}

/** One relay at a time gets past this, whoever runs it. */
export const lockState = (db: Transaction): Promise<unknown> => runSql(db, 'select from relay_state for update')

export const readHeads = (db: Transaction, organizationIds: readonly string[]): Promise<readonly Head[]> =>
  runSql(
    db,
    `select organization_id as "organizationId", sequence, encode(hash, 'hex') as hash from event_heads
     where organization_id = any($1)`,
    [organizationIds],
  )

const eventArrays = columnArrays({
  organization_id: 'token',
  sequence: 'bigint',
  id: 'token',
  type: 'token',
  resource_type: 'token',
  resource_id: 'text',
  actor_id: 'text',
  occurred_at: 'timestamptz(3)',
  personal_digest: 'bytea',
  hash: 'bytea',
})
const eventsText = `insert into events (${eventArrays.names})
  select ${eventArrays.names} from ${eventArrays.from('e', 1)}`

const headArrays = columnArrays({ organization_id: 'token', sequence: 'bigint', hash: 'bytea' })
const headsText = `insert into event_heads (${headArrays.names})
  select ${headArrays.names} from ${headArrays.from('h', 1)}
  on conflict (organization_id) do update set sequence = excluded.sequence, hash = excluded.hash`

/** Makes rows events and moves the heads. */
export function writeEvents(db: Transaction, links: readonly ChainLink[], heads: readonly Head[]): Promise<unknown> {
  const events = links.map(({ event, personalDigest, hash }) => ({
    organization_id: event.organizationId,
    sequence: event.sequence,
    id: event.id,
    type: event.type,
    resource_type: event.resource.type,
    resource_id: event.resource.id,
    actor_id: event.actor.id,
    occurred_at: event.occurredAt,
    personal_digest: personalDigest === null ? null : bytes(personalDigest),
    hash: bytes(hash),
  }))
  const moved = heads.map(({ organizationId: organization_id, sequence, hash }) => ({
    organization_id,
    sequence,
    hash: bytes(hash),
  }))
  return Promise.all([
    runSql(db, eventsText, eventArrays.parameters(events)),
    runSql(db, headsText, headArrays.parameters(moved)),
  ])
}

/** What is hexadecimal as PostgreSQL reads it. */
const bytes = (hex: string): string => `\\x${hex}`

export const notify = (db: Transaction, channel: string, payload: string): Promise<unknown> =>
  runSql(db, 'select pg_notify($1, $2)', [channel, payload])
