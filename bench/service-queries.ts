import {
  type CompiledQuery,
  DefaultQueryExecutor,
  DummyDriver,
  PostgresAdapter,
  PostgresDialect,
  PostgresQueryCompiler,
  Transaction,
} from 'kysely'
import { selectProducts } from '../services/api/src/features/catalog/repository.ts'
import { selectOrders } from '../services/api/src/features/order-lists/repository.ts'
import { selectOrder } from '../services/api/src/features/orders/repository.ts'
import type { DB } from '../services/api/src/platform/tables.gen.ts'
import type { View } from '../services/api/src/platform/work.ts'

export interface ServiceQuery {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Stands for what a request asks for in the values of a query. */
export const asked = 'ASKED'
export const pageSize = 20
const firstPage = { limit: pageSize, direction: 'forward', position: null } as const

/** The statements that the service sends for each read, taken from its own repositories. */
export const serviceReads = {
  get: () => capture((view) => selectOrder(view, asked)),
  list: () => capture((view) => selectOrders(view, { sort: '-createdAt' }, firstPage)),
  search: () => capture((view) => selectProducts(view, { q: asked }, firstPage)),
} as const

export type Read = keyof typeof serviceReads

/** Runs a read against no database at all and keeps what it would have asked. */
async function capture(read: (view: View) => Promise<unknown>): Promise<readonly ServiceQuery[]> {
  const queries: ServiceQuery[] = []
  const driver = new DummyDriver()
  const connection = {
    async executeQuery(query: CompiledQuery) {
      queries.push({ text: query.sql, values: query.parameters })
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
  const db = new Transaction<DB>({ config: { dialect }, dialect, driver, executor })
  await read({ db, actor: { sources: null } } as unknown as View)
  return queries
}
