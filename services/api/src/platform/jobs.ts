import type { Static, TSchema } from '@sinclair/typebox'
import type { ValidateFunction } from 'ajv'
import pg from 'pg'
import { type ConstructorOptions, fromKysely, PgBoss } from 'pg-boss'
import type { Config } from './config.ts'
import type { Transaction } from './database.ts'
import type { Logger } from './logger.ts'
import { compileSchema } from './schema.ts'
import type { Origin, TenantWork, UnitOfWork } from './work.ts'

/** What the code of a job may use; what it works on is named in its payload, by ids. */
export interface JobContext {
  readonly config: Config
  readonly log: Logger
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
  run(context: JobContext, payload: P): Promise<void>
}

/** Three attempts in all with growing pauses, a time limit, then the queue `<name>.dead`. */
export function defineJob<S extends TSchema>(
  definition: Omit<Job<Static<S>>, 'payload'> & { readonly payload: S },
): Job<Static<S>> {
  return definition
}

/** A job of any payload, for lists of jobs. */
export type AnyJob = Job<never>

/** What travels in the queue: the payload and the request it came from. */
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
  stop(): Promise<void>
}

export interface JobQueueOptions {
  readonly config: Config
  readonly log: Logger
  readonly jobs: readonly AnyJob[]
  /** True in the worker: it supervises the queues and keeps the schedules. */
  readonly supervise: boolean
}

export const deadLetterOf = (job: Pick<AnyJob, 'name'>): string => `${job.name}.dead`

export function createJobQueue({ config, log, jobs, supervise }: JobQueueOptions): JobQueue {
  const pool = new pg.Pool({
    connectionString: config.DATABASE_URL,
    application_name: 'purser-jobs',
    options: '-c role=purser_app',
    max: 3,
    connectionTimeoutMillis: config.DB_ACQUIRE_TIMEOUT_MS,
    statement_timeout: config.WORKER_STATEMENT_TIMEOUT_MS,
  })
  pool.on('error', (error) => log.warn({ err: error }, 'idle job connection lost'))
  pool.on('connect', (client) => client.on('error', (error) => log.warn({ err: error }, 'job connection lost')))
  const db: NonNullable<ConstructorOptions['db']> = { executeSql: (text, values) => pool.query(text, values) }
  const boss = new PgBoss({ db, migrate: false, createSchema: false, supervise, schedule: supervise })
  boss.on('error', (error) => log.error({ err: error }, 'job queue failed'))
  const validators = new Map<string, ValidateFunction>()
  return {
    boss,
    async start() {
      await boss.start()
      for (const job of jobs) await ensureQueue(boss, config, job)
    },
    async enqueue(trx, origin, job, payload) {
      const validate = validators.get(job.name) ?? compileSchema(job.payload)
      validators.set(job.name, validate)
      if (!validate(payload)) throw new Error(`payload of job ${job.name}: ${validate.errors?.[0]?.message}`)
      const envelope: JobEnvelope = { payload, requestId: origin.requestId, traceparent: origin.traceparent }
      const singleton = job.key === undefined ? {} : { singletonKey: job.key(payload) }
      await boss.insert(job.name, [{ data: envelope, ...singleton }], { db: fromKysely(trx) })
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: config.SHUTDOWN_GRACE_MS })
      await pool.end()
    },
  }
}

/** Registers the queue and its dead letters; changes nothing when they exist. */
async function ensureQueue(boss: PgBoss, config: Config, job: AnyJob): Promise<void> {
  if (await boss.getQueue(job.name)) return
  await boss.createQueue(deadLetterOf(job), { retentionSeconds: 30 * 86_400 })
  await boss.createQueue(job.name, {
    policy: job.key === undefined ? 'standard' : 'short',
    retryLimit: 2,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 300,
    expireInSeconds: config.JOB_TIMEOUT_SECONDS,
    heartbeatSeconds: 30,
    deadLetter: deadLetterOf(job),
  })
}
