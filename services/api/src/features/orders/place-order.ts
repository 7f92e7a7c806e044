import { selectProductsForSale } from '#features/catalog/index.ts'
import { selectOrganization } from '#features/identity/index.ts'
import { selectLocationsForSale, startLevels } from '#features/inventory/index.ts'
import { newId } from '#platform/id.ts'
import type { FieldIssue } from '#platform/problem.ts'
import type { View, Work } from '#platform/work.ts'
import { type Backordered, insertOrders, type Shortage } from './placing/repository.ts'
import { stockWanted, type Wanted } from './placing/reserving.ts'
import { personalOf, presentOrder, presentSnapshot } from './present.ts'
import { type PricedOrder, priceOrder, type SaleTerms } from './pricing.ts'
import { DuplicateExternalId, OutOfStock } from './problems.ts'
import { type OrderWithLines, selectExternalOrders } from './repository.ts'
import type { Order, PlaceOrder, QuoteOrder } from './schemas.ts'
import { confirmsAtOnce } from './status.ts'
import { lineTotal } from './totals.ts'

export interface PlacementTerms {
  /** How long a prepaid order keeps its stock without payment, in milliseconds. */
  readonly paymentWindowMs: number
}

/** An order to place, and the work of the request that asks for it. */
export interface Placing {
  readonly work: Work
  readonly input: PlaceOrder
}

/**
 * Places orders of one organization together, all or none, in one statement over all of them: priced, reserved,
 * numbered and recorded. One order is a group of one.
 * @throws OutOfStock listing each short line; DuplicateExternalId naming the order that exists; and what pricing throws.
 */
export async function placeOrders(placings: readonly Placing[], terms: PlacementTerms): Promise<Order[]> {
  const [first] = placings
  if (!first) return []
  const inputs = placings.map(({ input }) => input)
  const [sale] = await Promise.all([readSaleTerms(first.work, inputs), refuseDuplicates(first.work, inputs)])
  const wanted = placings.map(({ work, input }) => ({
    work,
    order: newOrder(work, input, priceOrder(sale, work.actor, input), terms),
  }))
  const { shortages, backordered } = await insertAll(first.work, wanted, sale)
  if (shortages.length > 0) throw outOfStock(inputs, shortages)
  return wanted.map(({ work, order }) => {
    const placed = backordered.length === 0 ? order : withBackorders(order, backordered)
    recordPlacement(work, placed)
    return presentOrder(placed, work.actor.scopes)
  })
}

/** Inserts the orders; what may wait needs a level to wait at, which is made in the same round trip. */
async function insertAll(work: Work, wanted: readonly Wanted[], sale: SaleTerms) {
  const mayWait = (sku: string) => sale.products.get(sku)?.stock_policy === 'backorder'
  const stock = stockWanted(wanted, mayWait)
  const [, outcome] = await Promise.all([
    startLevels(
      work,
      stock.demand.filter(({ may_wait }) => may_wait),
    ),
    insertOrders(work, {
      orders: wanted.map(({ order: { lines: _lines, ...order } }) => order),
      lines: wanted.flatMap(({ order: { id, lines } }) => lines.map((line) => ({ ...line, order_id: id }))),
      ...stock,
    }),
  ])
  return outcome
}

function withBackorders(order: OrderWithLines, backordered: readonly Backordered[]): OrderWithLines {
  const own = new Map(
    backordered.filter(({ order_id }) => order_id === order.id).map(({ position, quantity }) => [position, quantity]),
  )
  return {
    ...order,
    lines: order.lines.map((line) => ({ ...line, quantity_backordered: own.get(line.position) ?? 0 })),
  }
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
  const named = inputs.flatMap(({ source, externalId }) =>
    source === undefined || externalId === undefined ? [] : [{ source, externalId }],
  )
  if (named.length === 0) return
  const existing = await selectExternalOrders(work, named)
  const [taken] = existing
  if (taken) throw new DuplicateExternalId({ detail: `${taken.source} ${taken.external_id} is order ${taken.id}` })
}

function newOrder(work: Work, input: PlaceOrder, priced: PricedOrder, terms: PlacementTerms): OrderWithLines {
  const id = newId('ord')
  const paymentTerms = input.paymentTerms ?? 'prepaid'
  const confirmed = confirmsAtOnce(paymentTerms, priced.totals.total)
  return {
    id,
    number: `${work.now.toISOString().slice(0, 10).replaceAll('-', '')}-${id.slice(-8).toUpperCase()}`,
    status: confirmed ? 'confirmed' : 'pending',
    source: input.source ?? null,
    external_id: input.externalId ?? null,
    location_id: priced.locationId,
    payment_terms: paymentTerms,
    currency: priced.currency,
    items_amount: priced.totals.items,
    discount_amount: priced.totals.discount,
    shipping_amount: priced.totals.shipping,
    tax_amount: priced.totals.tax,
    total_amount: priced.totals.total,
    customer: input.customer ?? null,
    shipping_address: input.shippingAddress ?? null,
    billing_address: input.billingAddress ?? null,
    notes: input.notes ?? null,
    metadata: input.metadata ?? {},
    cancel_reason: null,
    expires_at: confirmed ? null : new Date(work.now.getTime() + terms.paymentWindowMs),
    placed_at: work.now,
    confirmed_at: confirmed ? work.now : null,
    closed_at: null,
    version: confirmed ? 2 : 1,
    created_at: work.now,
    updated_at: work.now,
    lines: priced.lines.map((line, position) => newLine(line, position, input.lines[position]?.metadata ?? {})),
  }
}

const newLine = (line: PricedOrder['lines'][number], position: number, metadata: Record<string, string>) => ({
  position,
  id: newId('lin'),
  sku: line.sku,
  title: line.title,
  tracked: line.tracked,
  quantity: line.quantity,
  quantity_cancelled: 0,
  quantity_fulfilled: 0,
  quantity_backordered: 0,
  unit_price_amount: line.unitPrice,
  discount_amount: 0,
  tax_amount: 0,
  total_amount: lineTotal({ unitPrice: line.unitPrice, quantity: line.quantity, discount: 0, tax: 0 }),
  metadata,
})

function outOfStock(inputs: readonly PlaceOrder[], shortages: readonly Shortage[]): Error {
  const bySku = new Map(shortages.map((shortage) => [shortage.sku, shortage]))
  const errors = inputs.flatMap(({ lines }) =>
    lines.flatMap(({ sku }, index): FieldIssue[] => {
      const short = bySku.get(sku)
      if (!short) return []
      const message = `SKU ${sku}: ${short.quantity} requested, ${short.available} available`
      return [{ field: `lines[${index}].quantity`, pointer: `/lines/${index}/quantity`, code: 'OUT_OF_STOCK', message }]
    }),
  )
  return new OutOfStock({ detail: errors[0]?.message ?? OutOfStock.definition.title, errors })
}

/** Placing and confirming at once are two versions and two entries of the ledger. */
function recordPlacement(work: Work, order: OrderWithLines): void {
  const placed = { ...order, status: 'pending', version: 1, confirmed_at: null }
  const personal = personalOf(order)
  const hasPersonal = Object.values(personal).some((value) => value !== null)
  const resource = (version: number) => ({ type: 'order', id: order.id, version })
  const withPersonal = hasPersonal ? { personal } : {}
  work.record({ type: 'order.placed', resource: resource(1), data: presentSnapshot(placed), ...withPersonal })
  if (order.version === 1) return
  const changed = ['status', 'confirmedAt']
  work.record({ type: 'order.confirmed', resource: resource(2), changed, data: presentSnapshot(order) })
}
