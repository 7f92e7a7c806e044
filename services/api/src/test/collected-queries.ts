import {
  type CompiledQuery,
  DefaultQueryExecutor,
  DummyDriver,
  PostgresAdapter,
  PostgresDialect,
  PostgresQueryCompiler,
  Transaction,
} from 'kysely'
import type { DB } from '#platform/tables.gen.ts'
import type { View } from '#platform/work.ts'

/** Runs a read against no database at all and keeps what it would have asked. */
export async function queriesOf(read: (view: View) => Promise<unknown>): Promise<readonly CompiledQuery[]> {
  const queries: CompiledQuery[] = []
  const connection = {
    async executeQuery(query: CompiledQuery) {
      queries.push(query)
      return { rows: [] }
    },
    // biome-ignore lint/correctness/useYield: no read of the service streams
    async *streamQuery(): AsyncGenerator<never> {
      throw new Error('nothing to stream')
    },
  }
  const executor = new DefaultQueryExecutor(new PostgresQueryCompiler(), new PostgresAdapter(), {
    provideConnection: (consume) => consume(connection),
  })
  const dialect = new PostgresDialect({ pool: async () => Promise.reject(new Error('no database')) })
  const db = new Transaction<DB>({ config: { dialect }, dialect, driver: new DummyDriver(), executor })
  await read({ db, actor: { sources: null } } as unknown as View)
  return queries
}
