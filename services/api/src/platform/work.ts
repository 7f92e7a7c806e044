import { setTimeout as delay } from 'node:timers/promises'
import { type Actor, systemActor } from './actor.ts'
import type { Caches } from './cache.ts'
import type { Clock } from './clock.ts'
import type { Database, ReadTransaction, Transaction } from './database.ts'
import { asDatabaseProblem, isTransient, OutcomeUnknown } from './database-errors.ts'
import { type Answer, type Claim, claimKey, storeAnswer } from './idempotency.ts'
import type { Job, JobQueue } from './jobs.ts'
import { appendToLedger, type LedgerEvent } from './ledger.ts'
import type { Logger } from './logger.ts'

/** Who asks, and under which request: what every row, log line and event of the work is marked with. */
export interface Origin {
  readonly actor: Actor
  readonly requestId: string
  readonly traceparent: string | null
  readonly log: Logger
  /** Aborts when nobody waits for the outcome any more; ends retries, never a COMMIT under way. */
  readonly signal?: AbortSignal
}

/** A read: one read-only transaction bound to the tenant of the actor. */
export interface View {
  readonly db: ReadTransaction
  readonly actor: Actor
  readonly now: Date
  readonly log: Logger
}

/** The unit of work: one transaction bound to the tenant; all of it commits, or nothing does. */
export interface Work {
  readonly db: Transaction
  readonly actor: Actor
  readonly now: Date
  readonly log: Logger
  readonly requestId: string
  /** Appends to the ledger when the work commits. */
  record(event: LedgerEvent): void
  /** Adds a job that exists if, and only if, the work commits. */
  enqueue<P>(job: Job<P>, payload: P): Promise<void>
  /** Drops cached values with this tag once the work has committed. */
  invalidate(tag: string): void
}

/** Reads and writes of one origin. */
export interface TenantWork {
  read<T>(run: (view: View) => Promise<T>): Promise<T>
  write<T>(run: (work: Work) => Promise<T>): Promise<T>
}

export interface UnitOfWork {
  read<T>(origin: Origin, run: (view: View) => Promise<T>): Promise<T>
  write<T>(origin: Origin, run: (work: Work) => Promise<T>): Promise<T>
  /** Runs at most once per claim: later calls with the same claim get the stored answer. */
  writeOnce(
    origin: Origin,
    claim: Claim,
    run: (work: Work) => Promise<Answer>,
  ): Promise<{ answer: Answer; replayed: boolean }>
  /** Runs as purser_relay, which sees across tenants what its policies list. */
  sweep<T>(run: (db: Transaction) => Promise<T>): Promise<T>
}

/** The origin of work that nobody asked for: jobs, timers, seeds. */
export function systemOrigin(from: Omit<Origin, 'actor'> & { organizationId: string; name: string }): Origin {
  const { organizationId, name, ...rest } = from
  return { ...rest, actor: systemActor(organizationId, name) }
}

export interface UnitOfWorkDependencies {
  readonly database: Database
  readonly clock: Clock
  readonly jobs: Pick<JobQueue, 'enqueue'>
  readonly caches: Pick<Caches, 'invalidate'>
}

const maxAttempts = 3

/** The one way to the database, apart from the look-up of a credential, the relay and the sweeps. */
export function createUnitOfWork(dependencies: UnitOfWorkDependencies): UnitOfWork {
  const { database, clock } = dependencies
  return {
    read: (origin, run) =>
      repeating(origin, false, async () => {
        const session = await database.begin({
          role: 'app',
          organizationId: origin.actor.organizationId,
          readOnly: true,
        })
        try {
          const result = await run({ db: session.db, actor: origin.actor, now: clock.now(), log: origin.log })
          // The rows are here: the answer need not wait for the end of a transaction that wrote nothing.
          session.commit().catch((error: unknown) => session.rollback(error))
          return result
        } catch (error) {
          await session.rollback(error)
          throw error
        }
      }),
    write: (origin, run) => repeating(origin, false, () => transact(dependencies, origin, run)),
    writeOnce: (origin, claim, run) => repeating(origin, true, () => transactOnce(dependencies, origin, claim, run)),
    async sweep(run) {
      const session = await database.begin({ role: 'relay' })
      try {
        const result = await run(session.db)
        await session.commit()
        return result
      } catch (error) {
        await session.rollback(error)
        throw asDatabaseProblem(error)
      }
    },
  }
}

async function transact<T>(
  dependencies: UnitOfWorkDependencies,
  origin: Origin,
  run: (work: Work) => Promise<T>,
): Promise<T> {
  const session = await dependencies.database.begin({ role: 'app', organizationId: origin.actor.organizationId })
  try {
    const { work, events, staleTags } = openWork(dependencies, origin, session.db)
    const result = await run(work)
    await session.commit(appendToLedger(work, origin, events))
    staleTags.forEach(dependencies.caches.invalidate)
    return result
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

async function transactOnce(
  dependencies: UnitOfWorkDependencies,
  origin: Origin,
  claim: Claim,
  run: (work: Work) => Promise<Answer>,
): Promise<{ answer: Answer; replayed: boolean }> {
  const session = await dependencies.database.begin({ role: 'app', organizationId: origin.actor.organizationId })
  try {
    const stored = await claimKey(session.db, origin.actor, claim)
    if (stored) {
      await session.commit()
      return { answer: stored, replayed: true }
    }
    const { work, events, staleTags } = openWork(dependencies, origin, session.db)
    const answer = await run(work)
    await session.commit([...appendToLedger(work, origin, events), storeAnswer(work, claim, answer)])
    staleTags.forEach(dependencies.caches.invalidate)
    return { answer, replayed: false }
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

function openWork({ clock, jobs }: UnitOfWorkDependencies, origin: Origin, db: Transaction) {
  const events: LedgerEvent[] = []
  const staleTags: string[] = []
  const work: Work = {
    db,
    actor: origin.actor,
    now: clock.now(),
    log: origin.log,
    requestId: origin.requestId,
    record: (event) => void events.push(event),
    enqueue: (job, payload) => jobs.enqueue(db, origin, job, payload),
    invalidate: (tag) => void staleTags.push(tag),
  }
  return { work, events, staleTags }
}

/**
 * Repeats a unit of work that the database dropped, with full jitter. Once COMMIT has been sent only claimed
 * work runs again: its claim finds out first whether it took effect.
 */
async function repeating<T>(origin: Origin, claimed: boolean, attemptOnce: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce()
    } catch (error) {
      const repeatable = error instanceof OutcomeUnknown ? claimed : isTransient(error)
      if (!repeatable || attempt === maxAttempts || origin.signal?.aborted) throw asDatabaseProblem(error)
      origin.log.warn({ err: error, attempt }, 'unit of work runs again')
      await delay(Math.random() * 50 * 2 ** attempt)
    }
  }
}
