import { selectProductsForSale } from '#features/catalog/index.ts'
import {
  type Order,
  type PlacementTerms,
  placed,
  presentOrder,
  recordPlacement,
  reserveDraft,
  UnknownSku,
} from '#features/orders/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockFor } from './locked-order.ts'
import { OrderNotDraft } from './problems.ts'
import { setBackordered, updateOrder } from './repository.ts'

/** Places a draft at the prices it was drafted with, and reserves its stock. */
export async function placeDraft(
  work: Work,
  orderId: string,
  expected: ExpectedVersion,
  terms: PlacementTerms,
): Promise<Order> {
  const draft = await lockFor(work, 'place', orderId, expected, OrderNotDraft)
  const products = await selectProductsForSale(work, [...new Set(draft.lines.map(({ sku }) => sku))])
  const policies = new Map(products.filter(({ status }) => status === 'active').map((each) => [each.sku, each]))
  const gone = draft.lines.find(({ sku }) => !policies.has(sku))
  if (gone) throw new UnknownSku({ detail: `SKU ${gone.sku} is not for sale` })
  const mayWait = (sku: string): boolean => policies.get(sku)?.stock_policy === 'backorder'
  const order = await reserveDraft(work, placed(work, draft, terms), mayWait)
  const { status, placed_at, confirmed_at, expires_at, version } = order
  await Promise.all([
    updateOrder(work, order.id, { status, placed_at, confirmed_at, expires_at, version }),
    setBackordered(work, order),
  ])
  recordPlacement(work, order)
  return presentOrder(order, work.actor.scopes)
}
