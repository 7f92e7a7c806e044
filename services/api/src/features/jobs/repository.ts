import { runSql } from '#platform/database.ts'
import type { PageRequest } from '#platform/page.ts'
import type { View, Work } from '#platform/work.ts'

/** A job as pg-boss keeps it; `position` is its creation in full precision, for cursors. */
export interface JobRow {
  readonly id: string
  readonly name: string
  readonly state: 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed'
  readonly data: { readonly payload?: unknown; readonly requestId?: string } | null
  readonly output: unknown
  readonly retry_count: number
  readonly retry_limit: number
  readonly created_on: Date
  readonly start_after: Date
  readonly started_on: Date | null
  readonly completed_on: Date | null
  readonly position: string
}

/** The queue of a dead letter is `<name>.dead`; `source_*` name the job that died. */
export interface DeadLetterRow extends JobRow {
  readonly source_id: string
  readonly source_name: string
  readonly source_created_on: Date
  readonly source_retry_count: number
  /** The organization; null: a job of the service itself. */
  readonly group_id: string | null
}

export interface JobSelection {
  readonly name: string | null
  readonly states: readonly JobRow['state'][]
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** The tables of the queue have no row-level security: every statement here names the organization. */
const own = `j.group_id = current_setting('app.organization_id')`
const anyone = 'true'
const columns = `j.id, j.name, j.state, j.data, j.output, j.retry_count, j.retry_limit, j.created_on, j.start_after,
  j.started_on, j.completed_on, j.created_on::text as position`
const letterColumns = `${columns}, j.source_id, j.source_name, j.source_created_on, j.source_retry_count, j.group_id`

/**
 * Newest first: the first rows of each name and state are read off the index, then merged. A position takes the place of
 * the bound on its side, which it lies within: of two bounds the scan might begin at the wider one.
 */
export function selectJobs(
  view: View,
  { name, states, from = '-infinity', to = 'infinity' }: JobSelection,
  { limit, direction, position }: PageRequest,
): Promise<JobRow[]> {
  const isForward = direction === 'forward'
  const [at, id] = position ?? [isForward ? to : from, isForward ? lowestId : highestId]
  return runSql<JobRow>(view.db, listText(isForward), [name, states, limit + 1, isForward ? from : to, at, id])
}

const lowestId = '00000000-0000-0000-0000-000000000000'
const highestId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const listText = (isForward: boolean) => {
  const [beyond, within, order] = isForward ? ['<', '>=', 'desc'] : ['>', '<', 'asc']
  return `select page.* from pgboss.queue q cross join unnest($2::text[]) wanted (state) cross join lateral (
    select ${columns} from pgboss.job j
    where ${own} and j.name = q.name and j.state = wanted.state::pgboss.job_state
      and j.created_on ${within} $4::timestamptz and (j.created_on, j.id) ${beyond} ($5::timestamptz, $6::uuid)
    order by j.created_on ${order}, j.id ${order} limit $3
  ) page
  where q.dead_letter is not null and q.name = coalesce($1, q.name)
  order by created_on ${order}, id ${order} limit $3`
}

export async function selectJob(view: View, id: string): Promise<JobRow | undefined> {
  const [row] = await runSql<JobRow>(view.db, oneText, [id])
  return row
}

/** Ids are unique within a queue, so each is asked: there are a few dozen. */
const oneText = `select page.* from pgboss.queue q cross join lateral (
    select ${columns} from pgboss.job j where ${own} and j.name = q.name and j.id = $1) page
  where q.dead_letter is not null`

/** Ends a job that has not ended; undefined when it has. An attempt at work finds out when its worker next beats. */
export async function cancelJob(work: Work, { name, id }: JobRow): Promise<JobRow | undefined> {
  const [row] = await runSql<JobRow>(work.db, cancelText, [name, id])
  return row
}

const cancelText = `update pgboss.job j set state = 'cancelled', completed_on = now()
  where ${own} and j.name = $1 and j.id = $2 and j.state < 'completed' returning ${columns}`

/** Newest death first. */
export function selectDeadLetters(
  view: View,
  name: string | null,
  { limit, direction, position }: PageRequest,
): Promise<DeadLetterRow[]> {
  const [beyond, order] = direction === 'forward' ? ['<', 'desc'] : ['>', 'asc']
  return runSql<DeadLetterRow>(view.db, lettersText(beyond, order, own), [name, limit + 1, ...(position ?? start)])
}

/** Before the newest. */
const start = ['infinity', highestId] as const

const lettersText = (beyond: string, order: string, whose: string) => `select page.* from pgboss.queue q
  cross join lateral (
    select ${letterColumns} from pgboss.job j
    where ${whose} and j.name = q.dead_letter and j.state = 'created'
      and (j.created_on, j.id) ${beyond} ($3::timestamptz, $4::uuid)
    order by j.created_on ${order}, j.id ${order} limit $2
  ) page
  where q.dead_letter is not null and q.name = coalesce($1, q.name)
  order by created_on ${order}, id ${order} limit $2`

/** Ids of the jobs of a queue that died, the longest dead first. */
export async function selectDeadJobIds(work: Work, name: string, limit: number): Promise<string[]> {
  const rows = await runSql<{ id: string }>(work.db, deadIdsText(own), [name, limit])
  return rows.map(({ id }) => id)
}

const deadIdsText = (
  whose: string,
) => `select j.source_id as id from pgboss.job j join pgboss.queue q on q.dead_letter = j.name
  where ${whose} and q.name = $1 and j.state = 'created' order by j.created_on limit $2`

/**
 * Takes dead letters out and lets their jobs run again under the same ids, with as many attempts as a new one has. The
 * dead job is kept for a week and its letter for a month, so either may be there without the other. Returns the jobs.
 */
export const reviveJobs = (work: Work, ids: readonly string[]): Promise<JobRow[]> =>
  runSql<JobRow>(work.db, reviveText(own), [ids])

/** The state `retry` lets it wait beside a job with the same key that was added since. */
const reviveText = (whose: string) => `with letter as (
    delete from pgboss.job j where ${whose} and j.source_id = any($1::uuid[])
      and exists (select from pgboss.queue q where q.name = j.source_name and q.dead_letter = j.name)
    returning *
  ), again as (
    update pgboss.job j set state = 'retry', retry_limit = j.retry_count + q.retry_limit + 1, start_after = now(),
      keep_until = now() + q.retention_seconds * interval '1 s', completed_on = null
    from pgboss.queue q where ${whose} and j.name = q.name and q.dead_letter is not null and j.id = any($1::uuid[])
      and j.state = 'failed'
    returning ${columns}
  ), made as (
    insert into pgboss.job as j (id, name, data, state, priority, group_id, group_tier, singleton_key, policy, dead_letter,
      retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds, deletion_seconds, heartbeat_seconds,
      created_on, keep_until)
    select letter.source_id, q.name, letter.data, 'retry', letter.priority, letter.group_id, letter.group_tier,
      letter.singleton_key, q.policy, q.dead_letter, q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max,
      q.expire_seconds, q.deletion_seconds, q.heartbeat_seconds, letter.source_created_on,
      now() + q.retention_seconds * interval '1 s'
    from letter join pgboss.queue q on q.name = letter.source_name
    where letter.source_id not in (select id from again)
    on conflict do nothing returning ${columns}
  )
  select * from again union all select * from made`

/** For the operator of the installation: dead letters of all organizations and of the service itself. */
export const selectAllDeadLetters = (db: Work['db'], name: string | null, limit: number): Promise<DeadLetterRow[]> =>
  runSql<DeadLetterRow>(db, lettersText('<', 'desc', anyone), [name, limit, ...start])

export async function reviveAll(db: Work['db'], name: string, limit: number): Promise<JobRow[]> {
  const dead = await runSql<{ id: string }>(db, deadIdsText(anyone), [name, limit])
  return runSql<JobRow>(db, reviveText(anyone), [dead.map(({ id }) => id)])
}

export const reviveOne = (db: Work['db'], id: string): Promise<JobRow[]> =>
  runSql<JobRow>(db, reviveText(anyone), [[id]])

/** Dead letters of all organizations of which nobody was told yet, the oldest first. */
export const selectUntold = (db: Work['db'], limit: number) =>
  runSql<Pick<DeadLetterRow, 'id' | 'name' | 'group_id'>>(db, untoldText, [limit])

const untoldText = `select j.id, j.name, j.group_id from pgboss.job j
  where j.source_id is not null and j.started_on is null order by j.created_on limit $1`

/** Marks that it is told, for whoever commits that first. */
export async function claimUntold(
  { db }: Pick<Work, 'db'>,
  { name, id }: Pick<DeadLetterRow, 'name' | 'id'>,
): Promise<DeadLetterRow | undefined> {
  const [row] = await runSql<DeadLetterRow>(db, claimText, [name, id])
  return row
}

const claimText = `update pgboss.job j set started_on = now() where j.name = $1 and j.id = (
    select id from pgboss.job where name = $1 and id = $2 and source_id is not null and started_on is null
    for update skip locked)
  returning ${letterColumns}`
