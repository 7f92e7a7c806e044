import { setImmediate as soon } from 'node:timers/promises'
import type { JobWithMetadata } from 'pg-boss'
import type { HeldAttempt, JobEnvelope, JobQueue } from './jobs.ts'
import type { Logger } from './logger.ts'

export type JobEntry = JobWithMetadata<JobEnvelope>

/** What is kept of an attempt that failed: the log has the rest. */
export interface JobFailure {
  readonly code: string
  readonly message: string
}

/** Why the signal of an attempt aborted. */
export class AttemptEnded extends Error {
  readonly code: 'TIMED_OUT' | 'WORKER_STOPPED' | 'NOT_OURS'
  constructor(code: AttemptEnded['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface JobLoopOptions {
  readonly queue: JobQueue
  readonly log: Logger
  readonly name: string
  readonly concurrency: number
  /** How often an empty queue is asked. */
  readonly pollMs: number
  /** Makes one attempt, under the signal of the entry; null when it succeeded. */
  readonly run: (entry: JobEntry) => Promise<JobFailure | null>
}

export interface JobLoop {
  held(): readonly HeldAttempt[]
  /** Aborts the attempts of this name that are not among `ours`: cancelled, or taken over by another worker. */
  keep(asked: readonly HeldAttempt[], ours: ReadonlySet<string>): void
  /** Takes no more jobs; those at work get `graceMs`, then they are aborted and tried again later. */
  stop(graceMs: number): Promise<void>
}

const repeatMs = 1_000
const lastWordMs = 2_000
/** Times the concurrency: attempts at work, and those that have ended and are not written yet. */
const mostHeld = 4

/**
 * Works off one queue, several jobs at a time. While fetches come back full it goes on at once, and what has ended
 * meanwhile is written in one statement beside the next fetch, so a backlog goes as fast as the database.
 */
export function workOff({ queue, log, name, concurrency, pollMs, run }: JobLoopOptions): JobLoop {
  const { boss } = queue
  const attempts = new Map<string, { readonly entry: JobEntry; readonly controller: AbortController }>()
  const outcomes: { readonly entry: JobEntry; readonly failure: JobFailure | null }[] = []
  const [poll, drained] = [createBell(), createBell()]
  const reachable = createOutage(log, name)
  let [running, stopping, settling] = [0, false, false]

  async function loop(): Promise<void> {
    while (!stopping) {
      const free = room()
      const entries = free === 0 ? [] : await fetch(free)
      for (const entry of entries) void attempt(entry)
      const isBacklog = entries.length === free
      if (!stopping && !(isBacklog && room() > 0)) await poll.wait(isBacklog ? null : pollMs)
      // Short jobs end together: what they leave free is filled by one fetch.
      await soon()
    }
  }
  /** What has ended and is not written yet holds up the next jobs only when there is much of it. */
  function room(): number {
    return Math.min(concurrency - running, mostHeld * concurrency - attempts.size)
  }
  async function fetch(batchSize: number): Promise<readonly JobEntry[]> {
    try {
      const entries = await boss.fetch<JobEnvelope>(name, { batchSize, includeMetadata: true })
      reachable.is()
      return entries as JobEntry[]
    } catch (error) {
      reachable.isNot(error)
      return []
    }
  }
  async function attempt(entry: JobEntry): Promise<void> {
    const controller = new AbortController()
    attempts.set(entry.id, { entry, controller })
    entry.signal = controller.signal
    const timeUp = () =>
      controller.abort(new AttemptEnded('TIMED_OUT', `it ran longer than ${entry.expireInSeconds} s`))
    const timer = setTimeout(timeUp, entry.expireInSeconds * 1_000)
    running++
    const failure = await run(entry)
    running--
    clearTimeout(timer)
    if (poll.isPatient) poll.ring()
    if (failure?.code === 'NOT_OURS') return release([entry.id])
    outcomes.push({ entry, failure })
    if (!settling) void settle()
  }
  /** Writes how attempts ended, again and again until it is written: an attempt that ended well must not be repeated. */
  async function settle(): Promise<void> {
    settling = true
    await soon()
    while (outcomes.length > 0) {
      const batch = outcomes.splice(0)
      try {
        const completed = batch.filter(({ failure }) => failure === null).map(({ entry }) => entry.id)
        if (completed.length > 0) await boss.complete(name, completed)
        release(completed)
        for (const { entry, failure } of batch) {
          if (failure === null) continue
          await queue.fail(heldBy(entry), failure)
          release([entry.id])
        }
        reachable.is()
      } catch (error) {
        reachable.isNot(error)
        outcomes.push(...batch.filter(({ entry }) => attempts.has(entry.id)))
        await new Promise((resolve) => setTimeout(resolve, repeatMs))
      }
    }
    settling = false
  }
  function release(ids: readonly string[]): void {
    for (const id of ids) attempts.delete(id)
    if (poll.isPatient) poll.ring()
    if (attempts.size === 0) drained.ring()
  }
  const heldBy = ({ id, retryCount }: JobEntry): HeldAttempt => ({ name, id, retryCount })
  const looping = loop()
  return {
    held: () => [...attempts.values()].map(({ entry }) => heldBy(entry)),
    keep(asked, ours) {
      for (const { id } of asked.filter((one) => one.name === name && !ours.has(one.id)))
        attempts.get(id)?.controller.abort(new AttemptEnded('NOT_OURS', 'it was cancelled or taken over'))
    },
    async stop(graceMs) {
      stopping = true
      poll.ring()
      await looping
      if (attempts.size > 0) await drained.wait(graceMs)
      for (const { controller } of attempts.values())
        controller.abort(new AttemptEnded('WORKER_STOPPED', 'the worker stopped'))
      if (attempts.size > 0) await drained.wait(lastWordMs)
    },
  }
}

/** A pause that can be ended; one waits at a time. */
function createBell() {
  let ring = () => {}
  let isPatient = false
  return {
    ring: () => ring(),
    /** Whether somebody waits without a limit. */
    get isPatient() {
      return isPatient
    },
    wait: (ms: number | null) =>
      new Promise<void>((resolve) => {
        const timer = ms === null ? undefined : setTimeout(() => ring(), ms)
        isPatient = ms === null
        ring = () => {
          clearTimeout(timer)
          isPatient = false
          resolve()
        }
      }),
  }
}

/** Tells once when the queue cannot be reached, and once when it can again. */
function createOutage(log: Logger, name: string) {
  let isOut = false
  return {
    is() {
      if (isOut) log.info({ 'job.name': name }, 'the job queue answers again')
      isOut = false
    },
    isNot(error: unknown) {
      if (!isOut) log.error({ err: error, 'job.name': name }, 'the job queue does not answer')
      isOut = true
    },
  }
}
