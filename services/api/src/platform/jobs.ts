import type { Static, TSchema } from '@sinclair/typebox'
import pg from 'pg'
import { type ConstructorOptions, fromKysely, PgBoss, type QueueResult } from 'pg-boss'
import type { Alerts } from './alerts.ts'
import type { Config } from './config.ts'
import { answerTimeoutOf, type Transaction } from './database.ts'
import type { JobFailure } from './job-loop.ts'
import type { Logger } from './logger.ts'
import { compileSchema } from './schema.ts'
import type { Origin, TenantWork, UnitOfWork, Work } from './work.ts'

/** What the code of a job may use; what it works on is named in its payload, by ids. */
export interface JobContext {
  readonly config: Config
  readonly log: Logger
  readonly alerts: Alerts
  readonly now: Date
  /** Aborts at the time limit and when the worker stops. */
  readonly signal: AbortSignal
  /** Reads and writes inside one organization, marked as done by this job. */
  tenant(organizationId: string): TenantWork
  /** Reads across organizations, as far as the policies of purser_relay go. */
  readonly sweep: UnitOfWork['sweep']
}

/** A background job as a value. It runs at least once, so `run` is idempotent. */
export interface Job<P> {
  readonly name: string
  readonly payload: TSchema
  /** Cron line in UTC; the worker then runs the job with an empty payload. */
  readonly schedule?: string
  /** While a job with the same key waits, another one is not added. */
  key?(payload: P): string
  /** How many of them a worker runs at a time; not given: one of a schedule, JOB_CONCURRENCY of others. */
  readonly concurrency?: number
  run(context: JobContext, payload: P): Promise<void>
  /** Writes down, for whoever waits for it, that nothing runs the job any more; a dead one may still be run again. */
  giveUp?(work: Work, payload: P, end: JobEnd, config: Config): Promise<void>
}

/** How a job ended that did not complete. */
export type JobEnd =
  | { readonly state: 'failed'; readonly failure: JobFailure }
  | { readonly state: 'cancelled'; readonly failure: null }

/** Three attempts in all with growing pauses, a time limit, then the queue `<name>.dead`. */
export function defineJob<S extends TSchema>(
  definition: Omit<Job<Static<S>>, 'payload'> & { readonly payload: S },
): Job<Static<S>> {
  return definition
}

/** A job of any payload, for lists of jobs. */
export type AnyJob = Job<never>

/**
 * What travels in the queue: the payload and the request it came from. The organization travels beside it, as the
 * job's group: pg-boss carries that to retries and to the dead letter, and lists are read along it.
 */
export interface JobEnvelope {
  readonly payload: unknown
  readonly requestId: string
  readonly traceparent: string | null
}

export interface JobQueue {
  readonly boss: PgBoss
  start(): Promise<void>
  /** Adds the job in the transaction `db`. */
  enqueue<P>(db: Transaction, origin: Origin, job: Job<P>, payload: P): Promise<void>
  /** Lets a job that died or was cancelled write down that it did, in the work that tells so. */
  giveUp(work: Work, job: { readonly name: string; readonly payload: unknown }, end: JobEnd): Promise<void>
  /** Tells that these attempts go on; returns the ids of those that are still this worker's. */
  beat(attempts: readonly HeldAttempt[]): Promise<ReadonlySet<string>>
  /** Ends an attempt without success, unless the job was taken from this worker meanwhile: then it is another's. */
  fail(attempt: HeldAttempt, failure: object): Promise<void>
  stop(): Promise<void>
}

/** An attempt under way: `retryCount` tells it from another one at the same job. */
export interface HeldAttempt {
  readonly name: string
  readonly id: string
  readonly retryCount: number
}

export interface JobQueueOptions {
  readonly config: Config
  readonly log: Logger
  readonly jobs: readonly AnyJob[]
  /** True in the worker: it supervises the queues and keeps the schedules. */
  readonly supervise: boolean
  /** Longest wait for a connection. */
  readonly acquireTimeoutMs?: number
}

/** A worker beats every `beatMs`; one that has not for `heartbeatSeconds` loses its jobs at the next supervision. */
export const beatMs = 5_000
const heartbeatSeconds = 20
const supervision = { superviseIntervalSeconds: 10, monitorIntervalSeconds: 9 }

/**
 * While PostgreSQL has no statistics of a backlog it reads all of it by bitmap, the entries of jobs long taken among it,
 * and sorts that for every fetch. Its index has the order of a fetch: read plainly it is read as far as the batch goes.
 */
const fetchInOrder = '-c enable_bitmapscan=off'

export const deadLetterOf = (job: Pick<AnyJob, 'name'>): string => `${job.name}.dead`

export function createJobQueue(options: JobQueueOptions): JobQueue {
  const { config, log, jobs, supervise } = options
  const pool = new pg.Pool({
    connectionString: config.DATABASE_URL,
    application_name: 'purser-jobs',
    options: `-c role=purser_app ${fetchInOrder}`,
    max: 3,
    connectionTimeoutMillis: options.acquireTimeoutMs ?? config.DB_ACQUIRE_TIMEOUT_MS,
    statement_timeout: config.WORKER_STATEMENT_TIMEOUT_MS,
    query_timeout: answerTimeoutOf(config.WORKER_STATEMENT_TIMEOUT_MS),
    keepAlive: true,
  })
  pool.on('error', (error) => log.warn({ err: error }, 'idle job connection lost'))
  pool.on('connect', (client) => client.on('error', (error) => log.warn({ err: error }, 'job connection lost')))
  const db: NonNullable<ConstructorOptions['db']> = { executeSql: (text, values) => pool.query(text, values) }
  const boss = new PgBoss({ db, migrate: false, createSchema: false, supervise, schedule: supervise, ...supervision })
  boss.on('error', (error) => log.error({ err: error }, 'job queue failed'))
  return {
    boss,
    async start() {
      await boss.start()
      const known = new Map((await boss.getQueues()).map((queue) => [queue.name, queue]))
      for (const job of jobs) await ensureQueue(boss, job, known.get(job.name), options)
    },
    async enqueue(trx, origin, job, payload) {
      const validate = compileSchema(job.payload)
      if (!validate(payload)) throw new Error(`payload of job ${job.name}: ${validate.errors?.[0]?.message}`)
      const { organizationId } = origin.actor
      if (organizationOf(payload) !== undefined && organizationOf(payload) !== organizationId)
        throw new Error(`payload of job ${job.name}: it names another organization`)
      const envelope: JobEnvelope = { payload, requestId: origin.requestId, traceparent: origin.traceparent }
      const singleton = job.key === undefined ? {} : { singletonKey: job.key(payload) }
      const added = { data: envelope, group: { id: organizationId }, ...singleton }
      await boss.insert(job.name, [added], { db: fromKysely(trx) })
    },
    async giveUp(work, { name, payload }, end) {
      const job = jobs.find((one) => one.name === name)
      // It may have died because its payload is refused.
      if (job?.giveUp && compileSchema(job.payload)(payload)) await job.giveUp(work, payload as never, end, config)
    },
    async beat(attempts) {
      const columns = [attempts.map(({ name }) => name), attempts.map(({ id }) => id)]
      const { rows } = await pool.query<{ id: string }>(beatText, [...columns, attempts.map((a) => a.retryCount)])
      return new Set(rows.map(({ id }) => id))
    },
    async fail({ name, id, retryCount }, failure) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const { rowCount } = await client.query(heldText, [name, id, retryCount])
        const executeSql = (text: string, values?: unknown[]) => client.query(text, values)
        if (rowCount === 1) await boss.fail(name, id, failure, { db: { executeSql } })
        await client.query('commit')
        client.release()
      } catch (error) {
        client.release(true)
        throw error
      }
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: config.SHUTDOWN_GRACE_MS })
      await pool.end()
    },
  }
}

const beatText = `update pgboss.job set heartbeat_on = now()
  from unnest($1::text[], $2::uuid[], $3::integer[]) as held (name, id, retry_count)
  where job.name = held.name and job.id = held.id and job.state = 'active' and job.retry_count = held.retry_count
  returning job.id`

const heldText = `select from pgboss.job
  where name = $1 and id = $2 and state = 'active' and retry_count = $3 for update`

const organizationOf = (payload: unknown): unknown =>
  typeof payload === 'object' && payload !== null && 'organizationId' in payload ? payload.organizationId : undefined

/** Registers the queue and its dead letters; of one that is known the worker brings the limits up to date. */
async function ensureQueue(boss: PgBoss, job: AnyJob, known: QueueResult | undefined, options: JobQueueOptions) {
  const limits = { expireInSeconds: options.config.JOB_TIMEOUT_SECONDS, heartbeatSeconds }
  const isCurrent =
    known?.expireInSeconds === limits.expireInSeconds && known?.heartbeatSeconds === limits.heartbeatSeconds
  if (known && options.supervise && !isCurrent) await boss.updateQueue(job.name, limits)
  if (known) return
  await boss.createQueue(deadLetterOf(job), { retentionSeconds: 30 * 86_400 })
  await boss.createQueue(job.name, {
    policy: job.key === undefined ? 'standard' : 'short',
    retryLimit: 2,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 300,
    ...limits,
    deadLetter: deadLetterOf(job),
  })
}
