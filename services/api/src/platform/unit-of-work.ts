import { setTimeout as delay } from 'node:timers/promises'
import { inTransaction } from './database.ts'
import { asDatabaseProblem, isTransient, OutcomeUnknown } from './database-errors.ts'
import { type Answer, claimKeys, storeAnswers } from './idempotency.ts'
import { appendToLedger } from './ledger.ts'
import {
  type OnceItem,
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
      const runOne = async (items: readonly OnceItem<null>[]) => Promise.all(items.map(({ work }) => run(work)))
      const [outcome] = await writeGroup(dependencies, [{ origin, claim, input: null }], runOne)
      if (!outcome || 'problem' in outcome) throw outcome?.problem
      return outcome
    },
    writeGroup: (requests, run) => writeGroup(dependencies, requests, run),
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

/** One transaction for all requests: claims in its first trip; ledger, answers and COMMIT in its last. */
async function transactGroup<I>(
  dependencies: UnitOfWorkDependencies,
  requests: readonly OnceRequest<I>[],
  run: (items: readonly OnceItem<I>[]) => Promise<Answer[]>,
): Promise<OnceOutcome[]> {
  const organizationId = requests[0]?.origin.actor.organizationId ?? ''
  const session = await dependencies.database.begin({ role: 'app', organizationId })
  try {
    const states = await claimKeys(session.db, requests)
    const fresh = requests.filter((_, index) => states[index] === 'fresh')
    const opened = fresh.map((request) => ({ ...request, ...openWork(dependencies, request.origin, session.db) }))
    const answers = opened.length === 0 ? [] : await run(opened)
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

function writeGroup<I>(
  dependencies: UnitOfWorkDependencies,
  requests: readonly OnceRequest<I>[],
  run: (items: readonly OnceItem<I>[]) => Promise<Answer[]>,
): Promise<OnceOutcome[]> {
  const [first] = requests
  return first ? repeating(first.origin, true, () => transactGroup(dependencies, requests, run)) : Promise.resolve([])
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
