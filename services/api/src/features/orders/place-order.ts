import { selectProductsForSale } from '#features/catalog/index.ts'
import { selectOrganization } from '#features/identity/index.ts'
import { selectLocationsForSale } from '#features/inventory/index.ts'
import type { AppError } from '#platform/problem.ts'
import type { View, Work } from '#platform/work.ts'
import {
  demandOf,
  newOrder,
  outOfStock,
  type PlacementTerms,
  type Placing,
  recordPlacement,
  refuseForeignSource,
  reserve,
} from './placement.ts'
import type { PlaceOrder, QuoteOrder } from './placing-schemas.ts'
import { presentOrder } from './present.ts'
import { priceOrder, type SaleTerms } from './pricing.ts'
import { DuplicateExternalId } from './problems.ts'
import { type ExternalOrder, insertOrders, type OrderWithLines, selectExternalOrders } from './repository.ts'
import type { Order } from './schemas.ts'

/**
 * Places orders of one organization together, all or none, in one statement over all of them: priced, reserved,
 * numbered and recorded. One order is a group of one.
 * @throws OutOfStock listing each short line; DuplicateExternalId naming the order that exists; and what pricing throws.
 */
export async function placeOrders(placings: readonly Placing[], terms: PlacementTerms): Promise<Order[]> {
  const [first] = placings
  if (!first) return []
  for (const { work, input } of placings) refuseForeignSource(work.actor, input)
  const inputs = placings.map(({ input }) => input)
  const [sale] = await Promise.all([readSaleTerms(first.work, inputs), refuseDuplicates(first.work, inputs)])
  const orders = placings.map(({ work, input }) => newOrder(work, input, priceOrder(sale, work.actor, input), terms))
  return placeNew(placings, orders)
}

/** Inserts orders that are priced, all or none, and records them. */
export async function placeNew(placings: readonly Placing[], orders: readonly OrderWithLines[]): Promise<Order[]> {
  const [first] = placings
  if (!first) return []
  const reservations = reserve(orders.map((order, index) => ({ work: (placings[index] as Placing).work, order })))
  const shortages = await insertOrders(first.work, {
    orders: orders.map(({ lines: _lines, holds: _holds, ...order }) => order),
    lines: orders.flatMap(({ id, lines }) => lines.map((line) => ({ ...line, order_id: id }))),
    demand: demandOf(reservations),
    reservations,
  })
  if (shortages.length > 0)
    throw outOfStock(
      placings.flatMap(({ input }) => input.lines),
      shortages,
    )
  return orders.map((order, index) => {
    const { work } = placings[index] as Placing
    recordPlacement(work, order)
    return presentOrder(order, work.actor.scopes)
  })
}

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
