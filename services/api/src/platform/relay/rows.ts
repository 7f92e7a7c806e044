import { CompiledQuery } from 'kysely'
import type { Transaction } from '../database.ts'
import type { EventActor } from '../event-chain.ts'
import type { ChainLink } from './numbering.ts'

/** The place of a ledger row in the order in which transactions began. */
export interface Position {
  /** A 64-bit transaction id as text. */
  readonly xid: string
  readonly id: string
}

export interface LedgerRow {
  readonly organization_id: string
  readonly id: string
  readonly xid: string
  readonly type: string
  readonly schema_version: number
  readonly occurred_at: Date
  readonly actor: EventActor
  readonly request_id: string
  readonly traceparent: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly resource_version: number
  readonly changed: readonly string[]
  readonly data: unknown
  readonly personal: unknown
  readonly personal_salt: Uint8Array | null
  /** True when it has an event already. */
  readonly numbered: boolean
}

/** The newest event of an organization; `hash` in hex. */
export interface Head {
  readonly organizationId: string
  readonly sequence: number
  readonly hash: string
}

const content = `organization_id, id, xid, type, schema_version, occurred_at, actor, request_id, traceparent,
  resource_type, resource_id, resource_version, changed, data, personal, personal_salt`

/** The index on (xid, id) finds the next rows; `limit 1` keeps the look-up of their events a look-up. */
const read = (condition: string) => `select w.*, n.numbered is not null as numbered
  from (select ${content} from ledger where ${condition} order by xid, id limit $1) w
  left join lateral (
    select true as numbered from events e where e.organization_id = w.organization_id and e.id = w.id limit 1
  ) n on true
  order by w.xid, w.id`

const finishedText = read(`(xid, id) > ((select position_xid from relay_state), (select position_id from relay_state))
  and xid < pg_snapshot_xmin(pg_current_snapshot())`)
const visibleText = read('(xid, id) > ($2::xid8, $3)')

/** The next rows past the relay's position whose transactions have ended, and all that began before them. */
export const readFinished = (db: Transaction, limit: number): Promise<readonly LedgerRow[]> =>
  select(db, finishedText, [limit])

/** The next visible rows past a position, finished or not. */
export const readVisible = (db: Transaction, limit: number, { xid, id }: Position): Promise<readonly LedgerRow[]> =>
  select(db, visibleText, [limit, xid, id])

/** One relay at a time gets past this, whoever runs it. */
export const lockState = (db: Transaction): Promise<unknown> => select(db, 'select from relay_state for update')

export const readHeads = (db: Transaction, organizationIds: readonly string[]): Promise<readonly Head[]> =>
  select(
    db,
    `select organization_id as "organizationId", sequence, encode(hash, 'hex') as hash from event_heads
     where organization_id = any($1)`,
    [organizationIds],
  )

/** Sends everything that makes rows events, without waiting for it. */
export function writeEvents(db: Transaction, links: readonly ChainLink[], heads: readonly Head[]): Promise<unknown> {
  const column = <T>(of: (link: ChainLink) => T) => links.map(of)
  const events = select(
    db,
    `insert into events (organization_id, sequence, id, type, resource_type, resource_id, actor_id, occurred_at,
       personal_digest, hash)
     select organization_id, sequence, id, type, resource_type, resource_id, actor_id, occurred_at,
       decode(personal_digest, 'hex'), decode(hash, 'hex')
     from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::timestamptz[], $9::text[], $10::text[])
       given (organization_id, sequence, id, type, resource_type, resource_id, actor_id, occurred_at,
         personal_digest, hash)`,
    [
      column(({ event }) => event.organizationId),
      column(({ event }) => event.sequence),
      column(({ event }) => event.id),
      column(({ event }) => event.type),
      column(({ event }) => event.resource.type),
      column(({ event }) => event.resource.id),
      column(({ event }) => event.actor.id),
      column(({ event }) => event.occurredAt),
      column(({ personalDigest }) => personalDigest),
      column(({ hash }) => hash),
    ],
  )
  const moved = select(
    db,
    `insert into event_heads (organization_id, sequence, hash)
     select organization_id, sequence, decode(hash, 'hex')
     from unnest($1::text[], $2::bigint[], $3::text[]) given (organization_id, sequence, hash)
     on conflict (organization_id) do update set sequence = excluded.sequence, hash = excluded.hash`,
    [
      heads.map(({ organizationId }) => organizationId),
      heads.map(({ sequence }) => sequence),
      heads.map(({ hash }) => hash),
    ],
  )
  return Promise.all([events, moved])
}

export const movePosition = (db: Transaction, { xid, id }: Position): Promise<unknown> =>
  select(
    db,
    'update relay_state set position_xid = $1::xid8, position_id = $2, beat_at = clock_timestamp(), behind_since = null',
    [xid, id],
  )

export const notify = (db: Transaction, channel: string, payload: string): Promise<unknown> =>
  select(db, 'select pg_notify($1, $2)', [channel, payload])

async function select<R>(db: Transaction, text: string, values: readonly unknown[] = []): Promise<readonly R[]> {
  return (await db.executeQuery<R>(CompiledQuery.raw(text, [...values]))).rows
}
