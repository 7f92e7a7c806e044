import { DummyDriver, PostgresDialect, Transaction } from 'kysely'
import type { Database, Session } from '#platform/database.ts'
import type { DB } from '#platform/tables.gen.ts'

export interface Count {
  /** Beside BEGIN and COMMIT. */
  readonly statements: number
  /** How often the service waits for the database. */
  readonly trips: number
}

/** Statements on their way: one that is sent after another has come back belongs to a later trip. */
function tripCounter() {
  let statements = 0
  let done = 0
  let trips = 1
  const setOut = (): number => {
    const trip = done + 1
    trips = Math.max(trips, trip)
    return trip
  }
  return {
    setOut,
    async track<T>(send: () => Promise<T>): Promise<T> {
      statements += 1
      const trip = setOut()
      try {
        return await send()
      } finally {
        done = Math.max(done, trip)
      }
    },
    count: (): Count => ({ statements, trips }),
  }
}

/** The same database, which counts what is asked of it; the look-up of a credential, mostly cached, is left out. */
export function countedDatabase(database: Database): { database: Database; take(): Count } {
  let counters: ReturnType<typeof tripCounter>[] = []
  const counted: Database = {
    ...database,
    get load() {
      return database.load
    },
    async begin(opening) {
      const session = await database.begin(opening)
      if (opening.credentialHash !== undefined) return session
      const counter = tripCounter()
      counters.push(counter)
      const { db, rollback } = session
      return {
        db: trackedTransaction(db, counter.track),
        rollback,
        commit(pending) {
          // A read is answered when its rows are there.
          if (!opening.readOnly) counter.setOut()
          return session.commit(pending)
        },
      }
    },
  }
  const take = (): Count => {
    const counts = counters.map(({ count }) => count())
    counters = []
    const sum = (name: keyof Count) => counts.reduce((total, count) => total + count[name], 0)
    return { statements: sum('statements'), trips: sum('trips') }
  }
  return { database: counted, take }
}

const dialect = new PostgresDialect({ pool: async () => Promise.reject(new Error('bound to a transaction')) })

function trackedTransaction(db: Session['db'], track: ReturnType<typeof tripCounter>['track']): Session['db'] {
  const executor = new Proxy(db.getExecutor(), {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return name === 'executeQuery'
        ? (...given: unknown[]) => track(() => member.apply(target, given))
        : member.bind(target)
    },
  })
  return new Transaction<DB>({ config: { dialect }, dialect, driver: new DummyDriver(), executor })
}
