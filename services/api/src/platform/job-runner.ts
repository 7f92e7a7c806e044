import type { Alerts } from './alerts.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { newId } from './id.ts'
import { AttemptEnded, type JobEntry, type JobFailure, type JobLoop, workOff } from './job-loop.ts'
import { type AnyJob, beatMs, type Job, type JobContext, type JobQueue } from './jobs.ts'
import type { Logger } from './logger.ts'
import { AppError } from './problem.ts'
import { compileSchema } from './schema.ts'
import { systemOrigin, type UnitOfWork } from './work.ts'

const pollMs = 500
/** Nobody waits for what runs by the clock. */
const scheduledPollMs = 2_000

export interface JobRunnerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly alerts: Alerts
  readonly queue: JobQueue
  readonly unitOfWork: UnitOfWork
  readonly jobs: readonly AnyJob[]
}

export interface RunningJobs {
  /** Takes no more jobs, and waits for those at work as long as SHUTDOWN_GRACE_MS. */
  stop(): Promise<void>
}

/** Starts working off every job's queue and keeps the schedules. `queue` must have been started. */
export async function runJobs(options: JobRunnerOptions): Promise<RunningJobs> {
  const { queue, jobs, log, config } = options
  for (const { name, schedule } of jobs)
    if (schedule !== undefined) await queue.boss.schedule(name, schedule, null, { tz: 'UTC' })
  const loops = jobs.map((job) => {
    const isScheduled = job.schedule !== undefined
    return workOff({
      queue,
      log,
      name: job.name,
      concurrency: job.concurrency ?? (isScheduled ? 1 : config.JOB_CONCURRENCY),
      pollMs: isScheduled ? scheduledPollMs : pollMs,
      run: attempt(options, job as unknown as Job<unknown>),
    })
  })
  const beating = setInterval(() => void beat(queue, loops, log), beatMs)
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop(config.SHUTDOWN_GRACE_MS)))
      clearInterval(beating)
    },
  }
}

/** Keeps the jobs at work alive, and ends those that are no longer this worker's. */
async function beat(queue: JobQueue, loops: readonly JobLoop[], log: Logger): Promise<void> {
  const asked = loops.flatMap((loop) => loop.held())
  if (asked.length === 0) return
  try {
    const ours = await queue.beat(asked)
    for (const loop of loops) loop.keep(asked, ours)
  } catch (error) {
    log.warn({ err: error }, 'jobs at work could not be kept alive')
  }
}

function attempt(options: JobRunnerOptions, job: Job<unknown>) {
  const validate = compileSchema(job.payload)
  return async (entry: JobEntry): Promise<JobFailure | null> => {
    const started = performance.now()
    const requestId = entry.data?.requestId ?? newId('req')
    const fields = { 'job.name': job.name, 'job.id': entry.id, 'job.attempt': entry.retryCount + 1, requestId }
    const log = options.log.child(entry.groupId ? { ...fields, organizationId: entry.groupId } : fields)
    const passed = () => ({ durationMs: Math.round(performance.now() - started) })
    log.info('job started')
    try {
      const payload = entry.data?.payload ?? {}
      if (!validate(payload)) throw new Error(`payload refused: ${validate.errors?.[0]?.message}`)
      const context = contextOf(options, job, entry, log, requestId)
      await Promise.race([job.run(context, payload), whenAborted(entry.signal)])
      log.info(passed(), 'job ended')
      return null
    } catch (error) {
      const failure = failureOf(entry.signal.aborted ? entry.signal.reason : error)
      if (failure.code === 'NOT_OURS') log.info(passed(), 'job left: it was cancelled or taken over')
      else log.warn({ err: error, ...passed(), isLast: entry.retryCount >= entry.retryLimit }, 'job attempt failed')
      return failure
    }
  }
}

/** Rejects once the signal aborts, behind whatever the job itself has to say about that. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => setImmediate(reject, signal.reason), { once: true })
  })
}

/** What may be shown of an error: the words of a problem, never those of a defect. */
function failureOf(error: unknown): JobFailure {
  if (error instanceof AttemptEnded) return { code: error.code, message: error.message }
  if (error instanceof AppError && error.isOperational) return { code: error.code, message: error.message }
  return { code: 'INTERNAL_ERROR', message: 'it failed; the log has the reason under the request id' }
}

function contextOf(
  { config, clock, alerts, unitOfWork }: JobRunnerOptions,
  job: Job<unknown>,
  entry: JobEntry,
  log: Logger,
  requestId: string,
): JobContext {
  const traceparent = entry.data?.traceparent ?? null
  return {
    config,
    log,
    alerts,
    now: clock.now(),
    signal: entry.signal,
    tenant: (organizationId) => {
      if (entry.groupId && entry.groupId !== organizationId)
        throw new Error(`job ${job.name} belongs to another organization`)
      const origin = systemOrigin({ organizationId, name: job.name, requestId, traceparent, log, signal: entry.signal })
      return { read: (run) => unitOfWork.read(origin, run), write: (run) => unitOfWork.write(origin, run) }
    },
    sweep: unitOfWork.sweep,
  }
}
