import { selectProductsForSale } from '#features/catalog/index.ts'
import { selectOrganization } from '#features/identity/index.ts'
import { selectLocationsForSale, startLevels } from '#features/inventory/index.ts'
import type { AppError } from '#platform/problem.ts'
import type { View, Work } from '#platform/work.ts'
import { newOrder, type PlacementTerms, type Placing, recordPlacement, refuseForeignSource } from './placement.ts'
import { insertOrders } from './placing/repository.ts'
import { stockWanted, type Wanted, withBackorders } from './placing/reserving.ts'
import type { PlaceOrder, QuoteOrder } from './placing-schemas.ts'
import { presentOrder } from './present.ts'
import { priceOrder, type SaleTerms } from './pricing.ts'
import { DuplicateExternalId } from './problems.ts'
import { type ExternalOrder, type OrderRow, selectExternalOrders } from './repository.ts'
import type { Order } from './schemas.ts'

/**
 * Places orders of one organization together, all or none, in one statement over all of them: priced, reserved,
 * numbered and recorded. One order is a group of one.
 * @throws OutOfStock listing each short line; DuplicateExternalId naming the order that exists; and what pricing throws.
 */
export async function placeOrders(
  placings: readonly Placing[],
  sale: SaleTerms,
  terms: PlacementTerms,
): Promise<Order[]> {
  const [first] = placings
  if (!first) return []
  for (const { work, input } of placings) refuseForeignSource(work.actor, input)
  await refuseDuplicates(
    first.work,
    placings.map(({ input }) => input),
  )
  const wanted = placings.map(({ work, input }) => ({
    work,
    order: newOrder(work, input, priceOrder(sale, work.actor, input), terms),
  }))
  return placeNew(wanted, sale)
}

/** Inserts orders that are priced, all or none, and records them. */
export async function placeNew(wanted: readonly Wanted[], sale: SaleTerms): Promise<Order[]> {
  const [first] = wanted
  if (!first) return []
  const backordered = await insertAll(first.work, wanted, sale)
  return wanted.map(({ work, order }) => {
    const placed = backordered.length === 0 ? order : withBackorders(order, backordered)
    recordPlacement(work, placed)
    return presentOrder(placed, work.actor.scopes)
  })
}

/**
 * Inserts the orders. Where none may wait there is nothing to learn from it: COMMIT goes behind it, and the stock is
 * locked only while PostgreSQL works. What may wait needs a level to wait at, which is made in the same round trip.
 */
async function insertAll(work: Work, wanted: readonly Wanted[], sale: SaleTerms) {
  const stock = stockWanted(wanted, mayWait(sale))
  const patient = stock.demand.filter(({ may_wait }) => may_wait)
  const orders = wanted.map(({ order: { lines: _lines, holds: _holds, ...order } }) => order).sort(byExternalId)
  const lines = wanted.flatMap(({ order: { id, lines } }) => lines.map((line) => ({ ...line, order_id: id })))
  const insert = () => insertOrders(work, { orders, lines, ...stock }, lines)
  if (patient.length > 0) return (await Promise.all([startLevels(work, patient), insert()]))[1]
  work.commitBehind(insert())
  return []
}

/** Two groups with the same external ids wait for each other in one direction only. */
const byExternalId = (one: OrderRow, other: OrderRow): number =>
  `${one.source} ${one.external_id}` < `${other.source} ${other.external_id}` ? -1 : 1

/** Whether a SKU is sold beyond what is there. */
export const mayWait =
  ({ products }: Pick<SaleTerms, 'products'>) =>
  (sku: string): boolean =>
    products.get(sku)?.stock_policy === 'backorder'

/** Reads, in one round trip, what pricing these orders takes. */
export async function readSaleTerms(view: Pick<View, 'db'>, inputs: readonly QuoteOrder[]): Promise<SaleTerms> {
  const skus = [...new Set(inputs.flatMap(({ lines }) => lines.map(({ sku }) => sku)))]
  const locationIds = [...new Set(inputs.flatMap(({ locationId }) => locationId ?? []))]
  const [products, organization, locations] = await Promise.all([
    selectProductsForSale(view, skus),
    selectOrganization(view),
    selectLocationsForSale(view, locationIds),
  ])
  return {
    products: new Map(products.map((product) => [product.sku, product])),
    currency: organization.currency,
    locationIds: new Set(locations.map(({ id }) => id)),
    defaultLocationId: locations.find(({ is_default }) => is_default)?.id ?? null,
  }
}

async function refuseDuplicates(work: Work, inputs: readonly PlaceOrder[]): Promise<void> {
  const [taken] = await readTaken(work, inputs)
  if (taken) throw duplicateOf(taken)
}

/** The orders that exist already under the sources and external ids of these. */
export async function readTaken(work: Work, inputs: readonly PlaceOrder[]): Promise<ExternalOrder[]> {
  const named = inputs.flatMap(({ source, externalId }) =>
    source === undefined || externalId === undefined ? [] : [{ source, externalId }],
  )
  return named.length === 0 ? [] : selectExternalOrders(work, named)
}

export const duplicateOf = ({ source, external_id, id }: ExternalOrder): AppError =>
  new DuplicateExternalId({ detail: `${source} ${external_id} is order ${id}` })
