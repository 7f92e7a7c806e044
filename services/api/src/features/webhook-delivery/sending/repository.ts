import { runSql, type Transaction } from '#platform/database.ts'
import { type EventRow, eventColumnsOf } from '#platform/event-row.ts'
import type { Work } from '#platform/work.ts'
import type { DeliveryRow, EndpointRow } from '../repository.ts'

/** How deliveries of an endpoint are chosen: all that are due, the first of each resource, one probe, or its tests. */
export type Mode = 'any' | 'inOrder' | 'probe' | 'test'

export type Tenancy = { readonly organization_id: string }

/** An endpoint for which something may be due. */
export type Candidate = Tenancy &
  Pick<EndpointRow, 'id' | 'url' | 'max_concurrency'> & {
    readonly mode: Mode
    /** False: another worker is choosing for it at this moment. */
    readonly mine: boolean
  }

export type Claimed = Tenancy &
  Pick<DeliveryRow, 'id' | 'endpoint_id' | 'event_id' | 'event_type' | 'resource_id' | 'payload' | 'attempts'>

/** What may be claimed for one endpoint: `slots` is how many may be on their way, `after` the last resource served. */
export interface Share {
  readonly candidate: Candidate
  readonly slots: number
  readonly after: string
}

export interface Lease {
  readonly worker: string
  readonly ms: number
}

export const column = <T, V>(rows: readonly T[], of: (row: T) => V): V[] => rows.map(of)
const organizationsOf = (rows: readonly Tenancy[]): string[] => column(rows, (row) => row.organization_id)

/**
 * The transaction's end does not wait for the disk. What a crash of PostgreSQL takes back, the last part of a second, is
 * sent once more, as it is when a worker dies before it has written that something arrived.
 */
export const commitWithoutFlush = (db: Transaction): Promise<unknown> =>
  runSql(db, `select set_config('synchronous_commit', 'off', true)`)

/**
 * Endpoints with something to send, found by leaps over the index of what waits: as many look-ups as there are such
 * endpoints, however much waits. Each is locked until the transaction ends, so that two workers never share its slots.
 */
export const lockCandidates = (db: Transaction, now: Date): Promise<readonly Candidate[]> =>
  runSql(db, candidatesText, [now])

const leap = (condition: string): string => `select d.organization_id, d.endpoint_id from webhook_deliveries d
  where d.state = 'pending'${condition} order by d.organization_id, d.endpoint_id limit 1`
const candidatesText = `with recursive waiting (organization_id, endpoint_id) as (
    (${leap('')})
    union all
    select n.organization_id, n.endpoint_id from waiting w cross join lateral (
      ${leap(' and (d.organization_id, d.endpoint_id) > (w.organization_id, w.endpoint_id)')}) n
  ), candidates as (
    select organization_id, endpoint_id from waiting
    union select organization_id, id from webhook_endpoints where state = 'failing' and next_probe_at <= $1
  ), chosen as materialized (
    select e.organization_id, e.id, e.url, e.max_concurrency,
      case
        when e.state = 'active' then case e.ordering when 'none' then 'any' else 'inOrder' end
        when e.state = 'failing' and e.next_probe_at <= $1 then 'probe'
        else 'test'
      end as mode
    from candidates c join webhook_endpoints e on e.organization_id = c.organization_id and e.id = c.endpoint_id
    where e.archived_at is null
  )
  select *, pg_try_advisory_xact_lock(hashtextextended(id, 0)) as mine from chosen
  where mode <> 'test' or exists (select from webhook_deliveries t where t.organization_id = chosen.organization_id
    and t.endpoint_id = chosen.id and t.state = 'pending' and t.payload is not null)`

/** Takes what is due for these endpoints, as far as their slots go. */
export async function claim(
  db: Transaction,
  shares: readonly Share[],
  lease: Lease,
  now: Date,
): Promise<readonly Claimed[]> {
  const claims = Object.entries(pickTexts).map(([mode, text]) => {
    const given = shares.filter(({ candidate }) => candidate.mode === mode)
    if (given.length === 0) return []
    return runSql<Claimed>(db, text, [
      column(given, ({ candidate }) => candidate.organization_id),
      column(given, ({ candidate }) => candidate.id),
      column(given, ({ slots }) => slots),
      column(given, ({ after }) => after),
      now,
      lease.worker,
      lease.ms,
    ])
  })
  return (await Promise.all(claims)).flat()
}

const of = (row: string): string => `${row}.organization_id = w.organization_id and ${row}.endpoint_id = w.endpoint_id`
const free = `greatest(0, w.slots - (select count(*) from webhook_deliveries b where ${of('b')} and b.state = 'sending'))`

/** The first open delivery of the resource after another one, in the order of resources. */
const head = (after: string): string => `select q.ctid as place, q.resource_id, q.state, q.due_at
  from webhook_deliveries q where ${of('q')} and q.state in ('pending', 'sending') and q.resource_id > ${after}
  order by q.resource_id, q.sequence limit 1`
/** Resources looked at in one turn; the next turn goes on after the last that was served. */
const mostHeads = 500

/** What a probe sends, the first in an order that an index has. */
const first = (condition: string, order: string): string => `select q.ctid from webhook_deliveries q
  where ${of('q')} and q.${condition} and q.payload is null order by ${order} limit 1 for update skip locked`

const picks: Readonly<Record<Mode, string>> = {
  any: `select q.ctid from webhook_deliveries q where ${of('q')} and q.state = 'pending' and q.due_at <= $5
    order by q.due_at, q.sequence limit ${free} for update skip locked`,
  inOrder: `select heads.place from (
      with recursive heads (place, resource_id, state, due_at, count) as (
        (select h.*, 1 from (${head('w.after')}) h)
        union all
        select n.*, heads.count + 1 from heads cross join lateral (${head('heads.resource_id')}) n
        where heads.count < ${mostHeads}
      )
      select place from heads where state = 'pending' and due_at <= $5 limit ${free}
    ) heads`,
  probe: `select coalesce(
      (${first(`state = 'pending'`, 'resource_id, sequence')}), (${first(`state = 'dead'`, 'id')})
    ) where ${free} > 0`,
  test: `select q.ctid from webhook_deliveries q where ${of('q')} and q.state = 'pending' and q.payload is not null
    order by q.id limit ${free} for update skip locked`,
}
/**
 * Picked once and for all first, and then found by their places: a join could ask the sub-select again for every row, or
 * look through all deliveries for a few. One that is changed meanwhile is somewhere else and left to the next turn. The
 * present moment has to be named in every text, for not every one asks for it.
 */
const claimText = (pick: string): string => `with picked as materialized (
    select p.place
    from unnest($1::text[], $2::text[], $3::int[], $4::text[]) w (organization_id, endpoint_id, slots, after)
    cross join lateral (${pick}) p (place)
  )
  update webhook_deliveries d set state = 'sending', leased_by = $6,
    leased_until = clock_timestamp() + $7 * interval '1 ms'
  where d.ctid = any(array(select place from picked)) and d.state in ('pending', 'dead') and $5::timestamptz is not null
  returning d.organization_id, d.id, d.endpoint_id, d.event_id, d.event_type, d.resource_id, d.payload, d.attempts`
const pickTexts = Object.fromEntries(Object.entries(picks).map(([mode, pick]) => [mode, claimText(pick)]))

export interface ContentRow extends Tenancy, EventRow {
  readonly id: string
  readonly sequence: number
  readonly traceparent: string | null
}

/** The events of deliveries, as far as they are still kept. */
export const selectContents = (db: Transaction, claimed: readonly Claimed[]): Promise<readonly ContentRow[]> =>
  runSql(db, contentsText, [organizationsOf(claimed), column(claimed, ({ event_id }) => event_id)])

const contentsText = `select e.organization_id, e.id, e.sequence, l.traceparent, ${eventColumnsOf('l')}
  from (select distinct * from unnest($1::text[], $2::text[]) g (organization_id, id)) w
  join events e on e.organization_id = w.organization_id and e.id = w.id
  join ledger l on l.organization_id = w.organization_id and l.id = w.id`

export interface SecretRow extends Tenancy {
  readonly id: string
  readonly endpoint_id: string
  readonly ciphertext: string
}

/** Every secret that is valid for these endpoints, the current one first. */
export const selectSecrets = (db: Transaction, claimed: readonly Claimed[], now: Date): Promise<readonly SecretRow[]> =>
  runSql(db, secretsText, [organizationsOf(claimed), column(claimed, ({ endpoint_id }) => endpoint_id), now])

const secretsText = `select s.organization_id, s.id, s.endpoint_id, s.ciphertext
  from (select distinct * from unnest($1::text[], $2::text[]) g (organization_id, endpoint_id)) w
  join webhook_secrets s on s.organization_id = w.organization_id and s.endpoint_id = w.endpoint_id
  where s.expires_at is null or s.expires_at > $3
  order by s.endpoint_id, s.expires_at desc nulls first, s.id`

/**
 * Keeps deliveries from other workers for as long as they are on their way here. A row that is locked is being written
 * to its end at this moment: waiting for it while others are held would be a deadlock. Young leases need it not yet.
 */
export const renewLeases = (db: Transaction, ids: readonly string[], { worker, ms }: Lease): Promise<unknown> =>
  runSql(
    db,
    `update webhook_deliveries d set leased_until = clock_timestamp() + $3 * interval '1 ms'
     from (${unlocked(`leased_by = $2 and id = any($1)
       and leased_until < clock_timestamp() + $3 * interval '0.75 ms'`)}) w ${same}`,
    [ids, worker, ms],
  )

const unlocked = (condition: string): string => `select organization_id, id from webhook_deliveries
  where state = 'sending' and ${condition} for no key update skip locked`
const same = 'where d.organization_id = w.organization_id and d.id = w.id'
const unlease = `set state = 'pending', leased_by = null, leased_until = null`

/** Gives back what a worker took and did not send: it died, or it was frozen. */
export const expireLeases = (db: Transaction): Promise<readonly { readonly id: string }[]> =>
  runSql(
    db,
    `update webhook_deliveries d ${unlease} from (${unlocked('leased_until < clock_timestamp()')}) w ${same} returning d.id`,
    [],
  )

/** Gives back what this worker took and will not send. */
export const releaseLeases = (db: Transaction, worker: string): Promise<unknown> =>
  runSql(db, `update webhook_deliveries ${unlease} where state = 'sending' and leased_by = $1`, [worker])

/** Ends deliveries whose events are kept no longer. */
export const cancelExpired = (db: Transaction, claimed: readonly Claimed[]): Promise<unknown> =>
  runSql(
    db,
    `update webhook_deliveries d set state = 'cancelled', last_error = 'EVENT_EXPIRED', leased_by = null, leased_until = null
     from unnest($1::text[], $2::text[]) w (organization_id, id)
     where d.organization_id = w.organization_id and d.id = w.id and d.state = 'sending'`,
    [organizationsOf(claimed), column(claimed, ({ id }) => id)],
  )

/** What came of one attempt, as the log of attempts keeps it. */
export interface AttemptRow extends Tenancy {
  readonly id: string
  readonly delivery_id: string
  readonly endpoint_id: string
  readonly number: number
  readonly at: Date
  readonly duration_ms: number
  readonly status: number | null
  readonly error: string | null
  readonly response_excerpt: string
}

const attemptColumns = `organization_id, id, delivery_id, endpoint_id, number, at, duration_ms, status, error,
  response_excerpt`

const insertAttempts = (db: Transaction, attempts: readonly AttemptRow[]): Promise<unknown> =>
  runSql(
    db,
    `insert into webhook_attempts (${attemptColumns})
     select ${attemptColumns} from json_populate_recordset(null::webhook_attempts, $1::json) on conflict do nothing`,
    [JSON.stringify(attempts)],
  )

export const insertAttempt = (work: Work, attempt: AttemptRow): Promise<unknown> => insertAttempts(work.db, [attempt])

/**
 * Marks deliveries as arrived, unless they have been taken from this worker meanwhile. Returns the endpoints among
 * theirs that count as failing, and so have recovered.
 */
export async function writeArrivals(
  db: Transaction,
  attempts: readonly AttemptRow[],
  worker: string,
): Promise<readonly (Tenancy & { readonly id: string })[]> {
  const endpoints = [organizationsOf(attempts), column(attempts, ({ endpoint_id }) => endpoint_id)]
  const [, , , recovered] = await Promise.all([
    runSql(db, arrivedText, [JSON.stringify(attempts), worker]),
    insertAttempts(db, attempts),
    runSql(db, reliefText, endpoints),
    runSql<Tenancy & { readonly id: string }>(db, failingText, endpoints),
  ])
  return recovered
}

const arrivedText = `update webhook_deliveries d set state = 'delivered', attempts = a.number, delivered_at = a.at,
    last_status = a.status, last_error = null, leased_by = null, leased_until = null
  from json_populate_recordset(null::webhook_attempts, $1::json) a
  where d.organization_id = a.organization_id and d.id = a.delivery_id and d.state = 'sending' and d.leased_by = $2`
const theirEndpoints = `select e.organization_id, e.id from webhook_endpoints e,
  (select distinct * from unnest($1::text[], $2::text[]) g (organization_id, id)) w
  where e.organization_id = w.organization_id and e.id = w.id`
/** Whoever has locked an endpoint for long delays no others: its next arrival will do. */
const reliefText = `update webhook_endpoints r set consecutive_failures = 0
  from (${theirEndpoints} and e.consecutive_failures > 0 and e.state = 'active' for no key update of e skip locked) l
  where r.organization_id = l.organization_id and r.id = l.id`
const failingText = `${theirEndpoints} and e.state = 'failing'`
