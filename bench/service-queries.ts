import { selectProducts } from '../services/api/src/features/catalog/repository.ts'
import { selectOrders } from '../services/api/src/features/order-lists/repository.ts'
import { selectOrder } from '../services/api/src/features/orders/repository.ts'
import type { View } from '../services/api/src/platform/work.ts'
import { queriesOf } from '../services/api/src/test/collected-queries.ts'

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

async function capture(read: (view: View) => Promise<unknown>): Promise<readonly ServiceQuery[]> {
  const queries = await queriesOf(read)
  return queries.map(({ sql, parameters }) => ({ text: sql, values: parameters }))
}
