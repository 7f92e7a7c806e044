import { selectProductsForSale } from '#features/catalog/index.ts'
import {
  type Order,
  outOfStock,
  type PlacementTerms,
  placed,
  presentOrder,
  recordPlacement,
  reserveStock,
  UnknownSku,
} from '#features/orders/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockFor } from './locked-order.ts'
import { OrderNotDraft } from './problems.ts'
import { updateOrder } from './repository.ts'

/** Places a draft at the prices it was drafted with, and reserves its stock. */
export async function placeDraft(
  work: Work,
  orderId: string,
  expected: ExpectedVersion,
  terms: PlacementTerms,
): Promise<Order> {
  const draft = await lockFor(work, 'place', orderId, expected, OrderNotDraft)
  const products = await selectProductsForSale(work, [...new Set(draft.lines.map(({ sku }) => sku))])
  const forSale = new Set(products.filter(({ status }) => status === 'active').map(({ sku }) => sku))
  const gone = draft.lines.find(({ sku }) => !forSale.has(sku))
  if (gone) throw new UnknownSku({ detail: `SKU ${gone.sku} is not for sale` })
  const order = placed(work, draft, terms)
  const shortages = await reserveStock(work, order)
  if (shortages.length > 0) throw outOfStock(draft.lines, shortages)
  const { status, placed_at, confirmed_at, expires_at, version } = order
  await updateOrder(work, order.id, { status, placed_at, confirmed_at, expires_at, version })
  recordPlacement(work, order)
  return presentOrder(order, work.actor.scopes)
}
