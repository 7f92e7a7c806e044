import { type Actor, systemActor } from './actor.ts'
import type { Caches } from './cache.ts'
import type { Clock } from './clock.ts'
import { awaitedAtCommit, type Database, type ReadTransaction, type Transaction } from './database.ts'
import type { Answer, Claim } from './idempotency.ts'
import type { Job, JobQueue } from './jobs.ts'
import type { LedgerEvent } from './ledger.ts'
import type { Logger } from './logger.ts'
import type { LedgerSignal } from './relay/wake.ts'

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
  /**
   * Sends COMMIT behind this statement rather than wait for it; when it fails, so does the work, with its error. For
   * the last statement of a work whose result nothing depends on.
   */
  commitBehind(statement: Promise<unknown>): void
  /** Drops cached values with this tag once the work has committed. */
  invalidate(tag: string): void
}

/** Reads and writes of one origin. */
export interface TenantWork {
  read<T>(run: (view: View) => Promise<T>): Promise<T>
  write<T>(run: (work: Work) => Promise<T>): Promise<T>
}

/** One request of a group: who asks, under which claim, for what. */
export interface OnceRequest<I> {
  readonly origin: Origin
  readonly claim: Claim
  readonly input: I
}

export interface OnceItem<I> {
  readonly work: Work
  readonly input: I
}

export interface OnceAnswer {
  readonly answer: Answer
  readonly replayed: boolean
}

/** How the requests of a group are carried out. */
export interface GroupRun<I, X> {
  /** Reads what no claim has to wait for, in the round trip of the claims; of all requests, also of those seen before. */
  prepare(view: Pick<View, 'db'>, inputs: readonly I[]): Promise<X>
  /** Gets those that are new, in order, and returns an answer for each; when it throws, all of it is rolled back. */
  run(items: readonly OnceItem<I>[], prepared: X): Promise<Answer[]>
}

export type OnceOutcome = OnceAnswer | { readonly problem: unknown }

export interface UnitOfWork {
  read<T>(origin: Origin, run: (view: View) => Promise<T>): Promise<T>
  write<T>(origin: Origin, run: (work: Work) => Promise<T>): Promise<T>
  /** Runs at most once per claim: later calls with the same claim get the stored answer. */
  writeOnce(origin: Origin, claim: Claim, run: (work: Work) => Promise<Answer>): Promise<OnceAnswer>
  /**
   * The same for several requests of one organization in one transaction. Requests whose key is taken or was used for
   * something else get their problem and leave the others alone.
   */
  writeGroup<I, X>(requests: readonly OnceRequest<I>[], group: GroupRun<I, X>): Promise<OnceOutcome[]>
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
  /** Told of every COMMIT that wrote to the ledger. */
  readonly ledgerSignal: Pick<LedgerSignal, 'wake'>
}

/** A unit of work on an open transaction, and what it leaves to be written with COMMIT. */
export function openWork({ clock, jobs }: UnitOfWorkDependencies, origin: Origin, db: Transaction) {
  const events: LedgerEvent[] = []
  const staleTags: string[] = []
  const pending: Promise<unknown>[] = []
  const work: Work = {
    db,
    actor: origin.actor,
    now: clock.now(),
    log: origin.log,
    requestId: origin.requestId,
    record: (event) => void events.push(event),
    enqueue: (job, payload) => jobs.enqueue(db, origin, job, payload),
    invalidate: (tag) => void staleTags.push(tag),
    commitBehind: (statement) => void pending.push(awaitedAtCommit(statement)),
  }
  return { work, origin, events, staleTags, pending }
}

export type OpenWork = ReturnType<typeof openWork>
