import type { JobWithMetadata } from 'pg-boss'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { newId } from './id.ts'
import type { AnyJob, Job, JobContext, JobEnvelope, JobQueue } from './jobs.ts'
import type { Logger } from './logger.ts'
import { compileSchema } from './schema.ts'
import { systemOrigin, type UnitOfWork } from './work.ts'

export interface JobRunnerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly queue: JobQueue
  readonly unitOfWork: UnitOfWork
  readonly jobs: readonly AnyJob[]
}

const polling = { includeMetadata: true, batchSize: 1, pollingIntervalSeconds: 0.5 } as const

/** Starts working off every job's queue and keeps the schedules. `queue` must have been started. */
export async function runJobs(options: JobRunnerOptions): Promise<void> {
  const { queue, jobs } = options
  for (const job of jobs) {
    const run = attempt(options, job as unknown as Job<unknown>)
    await queue.boss.work<JobEnvelope, void, typeof polling>(job.name, polling, async (entries) => {
      for (const entry of entries) await run(entry)
    })
    if (job.schedule !== undefined) await queue.boss.schedule(job.name, job.schedule, null, { tz: 'UTC' })
  }
}

function attempt(options: JobRunnerOptions, job: Job<unknown>) {
  const validate = compileSchema(job.payload)
  return async (entry: JobWithMetadata<JobEnvelope>): Promise<void> => {
    const started = performance.now()
    const requestId = entry.data?.requestId ?? newId('req')
    const fields = { 'job.name': job.name, 'job.id': entry.id, 'job.attempt': entry.retryCount + 1, requestId }
    const log = options.log.child(fields)
    log.info('job started')
    try {
      const payload = entry.data?.payload ?? {}
      if (!validate(payload)) throw new Error(`payload refused: ${validate.errors?.[0]?.message}`)
      await job.run(contextOf(options, job, entry, log, requestId), payload)
      log.info({ durationMs: Math.round(performance.now() - started) }, 'job ended')
    } catch (error) {
      const dead = entry.retryCount >= entry.retryLimit
      if (dead) log.error({ err: error, alert: 'job.dead' }, 'job is dead: its last attempt failed')
      else log.warn({ err: error }, 'job attempt failed')
      throw error
    }
  }
}

function contextOf(
  { config, clock, unitOfWork }: JobRunnerOptions,
  job: Job<unknown>,
  entry: JobWithMetadata<JobEnvelope>,
  log: Logger,
  requestId: string,
): JobContext {
  const traceparent = entry.data?.traceparent ?? null
  return {
    config,
    log,
    now: clock.now(),
    signal: entry.signal,
    tenant: (organizationId) => {
      const origin = systemOrigin({ organizationId, name: job.name, requestId, traceparent, log, signal: entry.signal })
      return { read: (run) => unitOfWork.read(origin, run), write: (run) => unitOfWork.write(origin, run) }
    },
    sweep: unitOfWork.sweep,
  }
}
