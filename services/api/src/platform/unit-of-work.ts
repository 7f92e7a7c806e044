import { setTimeout as delay } from 'node:timers/promises'
import { inTransaction } from './database.ts'
import { asDatabaseProblem, isTransient, OutcomeUnknown } from './database-errors.ts'
import { type Answer, claimKeys, storeAnswers } from './idempotency.ts'
import { appendToLedger } from './ledger.ts'
import {
  type GroupRun,
  type OnceOutcome,
  type OnceRequest,
  type Origin,
  openWork,
  type UnitOfWork,
  type UnitOfWorkDependencies,
  type Work,
} from './work.ts'

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
    async writeOnce(origin, claim, run) {
      const [outcome] = await writeGroup(dependencies, [{ origin, claim, input: null }], {
        prepare: async () => null,
        run: async (items) => Promise.all(items.map(({ work }) => run(work))),
      })
      if (!outcome || 'problem' in outcome) throw outcome?.problem
      return outcome
    },
    writeGroup: (requests, group) => writeGroup(dependencies, requests, group),
    sweep: (run) => inTransaction(database.begin({ role: 'relay' }), run),
  }
}

async function transact<T>(
  dependencies: UnitOfWorkDependencies,
  origin: Origin,
  run: (work: Work) => Promise<T>,
): Promise<T> {
  const session = await dependencies.database.begin({ role: 'app', organizationId: origin.actor.organizationId })
  try {
    const open = openWork(dependencies, origin, session.db)
    const result = await run(open.work)
    await session.commit([...open.pending, ...appendToLedger(session.db, [open])])
    open.staleTags.forEach(dependencies.caches.invalidate)
    if (open.events.length > 0) dependencies.ledgerSignal.wake()
    return result
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

/** One transaction for all requests: claims and first reads in its first trip; ledger, answers and COMMIT in its last. */
async function transactGroup<I, X>(
  dependencies: UnitOfWorkDependencies,
  requests: readonly OnceRequest<I>[],
  { prepare, run }: GroupRun<I, X>,
): Promise<OnceOutcome[]> {
  const organizationId = requests[0]?.origin.actor.organizationId ?? ''
  const session = await dependencies.database.begin({ role: 'app', organizationId })
  try {
    const [states, prepared] = await Promise.all([
      claimKeys(session.db, requests),
      prepare(
        session,
        requests.map(({ input }) => input),
      ),
    ])
    const fresh = requests.filter((_, index) => states[index] === 'fresh')
    const opened = fresh.map((request) => ({ ...request, ...openWork(dependencies, request.origin, session.db) }))
    const answers = opened.length === 0 ? [] : await run(opened, prepared)
    await session.commit([
      ...opened.flatMap(({ pending }) => pending),
      ...appendToLedger(session.db, opened),
      ...storeAnswers(session.db, opened, answers),
    ])
    for (const { staleTags } of opened) staleTags.forEach(dependencies.caches.invalidate)
    if (opened.some(({ events }) => events.length > 0)) dependencies.ledgerSignal.wake()
    const answerOf = new Map(fresh.map((request, index) => [request, answers[index] as Answer]))
    return requests.map((request, index): OnceOutcome => {
      const state = states[index]
      if (state === 'fresh') return { answer: answerOf.get(request) as Answer, replayed: false }
      return state !== undefined && 'stored' in state
        ? { answer: state.stored, replayed: true }
        : (state as OnceOutcome)
    })
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

function writeGroup<I, X>(
  dependencies: UnitOfWorkDependencies,
  requests: readonly OnceRequest<I>[],
  group: GroupRun<I, X>,
): Promise<OnceOutcome[]> {
  const [first] = requests
  return first ? repeating(first.origin, true, () => transactGroup(dependencies, requests, group)) : Promise.resolve([])
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
