import { type ProductForSale, selectProductsForSale } from '#features/catalog/index.ts'
import { selectOrganization } from '#features/identity/index.ts'
import { selectLocation } from '#features/inventory/index.ts'
import { newId } from '#platform/id.ts'
import type { FieldIssue, ProblemClass } from '#platform/problem.ts'
import type { View, Work } from '#platform/work.ts'
import { personalOf, presentOrder, presentSnapshot } from './present.ts'
import {
  AmountTooLarge,
  CurrencyMismatch,
  DuplicateExternalId,
  OutOfStock,
  PriceMissing,
  PriceNotAllowed,
  UnknownLocation,
  UnknownSku,
} from './problems.ts'
import {
  type Demand,
  insertOrders,
  type OrderWithLines,
  type Reserving,
  type Shortage,
  selectExternalOrder,
} from './repository.ts'
import type { Order, PlaceOrder, QuoteOrder } from './schemas.ts'
import { confirmsAtOnce } from './status.ts'
import { isExact, lineTotal, type OrderAmounts, orderTotals } from './totals.ts'

export interface PlacementTerms {
  /** How long a prepaid order keeps its stock without payment, in milliseconds. */
  readonly paymentWindowMs: number
}

/** Places one order: priced, reserved, numbered and recorded, or nothing at all. */
export async function placeOrder(work: Work, input: PlaceOrder, terms: PlacementTerms): Promise<Order> {
  const [order] = await placeOrders(work, [input], terms)
  if (!order) throw new Error('placing one order returned none')
  return order
}

/**
 * Places N orders together, all or none, in one statement over all of them.
 * @throws OutOfStock listing each short line; DuplicateExternalId naming the order that exists; and what pricing throws.
 */
export async function placeOrders(work: Work, inputs: readonly PlaceOrder[], terms: PlacementTerms): Promise<Order[]> {
  const [priced] = await Promise.all([
    Promise.all(inputs.map((input) => priceOrder(work, input))),
    Promise.all(inputs.map((input) => refuseDuplicate(work, input))),
  ])
  const orders = inputs.map((input, index) => newOrder(work, input, priced[index] as PricedOrder, terms))
  const reservations = reserve(orders, work.now)
  const shortages = await insertOrders(work, {
    orders: orders.map(({ lines: _lines, ...order }) => order),
    lines: orders.flatMap(({ id, lines }) => lines.map((line) => ({ ...line, order_id: id }))),
    demand: demandOf(reservations),
    reservations,
  })
  if (shortages.length > 0) throw outOfStock(inputs, shortages)
  for (const order of orders) recordPlacement(work, order)
  return orders.map((order) => presentOrder(order, work.actor.scopes))
}

export interface PricedOrder {
  readonly locationId: string
  readonly currency: string
  readonly totals: OrderAmounts
  readonly lines: readonly {
    readonly sku: string
    readonly title: string
    readonly tracked: boolean
    readonly quantity: number
    readonly unitPrice: number
    readonly priceSource: 'catalog' | 'request'
  }[]
}

/**
 * Looks up products, currency and location, and computes every amount; the same for an order and for a quote.
 * @throws UnknownSku, PriceMissing, PriceNotAllowed, CurrencyMismatch, UnknownLocation, AmountTooLarge.
 */
export async function priceOrder(view: Pick<View, 'db' | 'actor'>, input: QuoteOrder): Promise<PricedOrder> {
  const skus = [...new Set(input.lines.map(({ sku }) => sku))].sort()
  const [products, organization, location] = await Promise.all([
    selectProductsForSale(view, skus),
    selectOrganization(view),
    selectLocation(view, input.locationId ?? null),
  ])
  if (!location) throw new UnknownLocation()
  const currency = input.currency ?? organization.currency
  refuseForeignPrices(view, input, currency)
  const bySku = new Map(products.map((product) => [product.sku, product]))
  refuseLines(UnknownSku, input, ({ sku }) => bySku.get(sku)?.status !== 'active' && `SKU ${sku} is not for sale`)
  refuseLines(PriceMissing, input, ({ sku, unitPrice }) => {
    const missing = unitPrice === undefined && bySku.get(sku)?.prices[currency] === undefined
    return missing && `SKU ${sku} has no price in ${currency}`
  })
  const lines = input.lines.map((line) => priceLine(line, bySku.get(line.sku) as ProductForSale, currency))
  const totals = orderTotals(lines.map(({ unitPrice, quantity }) => ({ unitPrice, quantity, discount: 0, tax: 0 })))
  if (!isExact(totals)) throw new AmountTooLarge()
  return { locationId: location.id, currency, totals, lines }
}

type InputLine = QuoteOrder['lines'][number]

const priceLine = ({ sku, quantity, unitPrice }: InputLine, product: ProductForSale, currency: string) => ({
  sku,
  title: product.title,
  tracked: product.stock_policy !== 'untracked',
  quantity,
  unitPrice: unitPrice?.amount ?? (product.prices[currency] as number),
  priceSource: unitPrice === undefined ? ('catalog' as const) : ('request' as const),
})

function refuseForeignPrices({ actor }: Pick<View, 'actor'>, input: QuoteOrder, currency: string): void {
  if (!input.lines.some(({ unitPrice }) => unitPrice !== undefined)) return
  if (!actor.scopes.has('orders:price')) throw new PriceNotAllowed()
  refuseLines(CurrencyMismatch, input, ({ unitPrice }) => {
    const foreign = unitPrice !== undefined && unitPrice.currency !== currency
    return foreign && `the order is in ${currency}, not ${unitPrice.currency}`
  })
}

/** Throws `Refusal` with one entry for each line that `reasonOf` finds fault with. */
function refuseLines(Refusal: ProblemClass, input: QuoteOrder, reasonOf: (line: InputLine) => string | false): void {
  const errors = input.lines.flatMap((line, index): FieldIssue[] => {
    const message = reasonOf(line)
    if (message === false) return []
    const code = Refusal.definition.code
    return [{ field: `lines[${index}]`, pointer: `/lines/${index}`, code, message }]
  })
  if (errors[0]) throw new Refusal({ detail: errors[0].message, errors })
}

async function refuseDuplicate(work: Work, { source, externalId }: PlaceOrder): Promise<void> {
  if (source === undefined || externalId === undefined) return
  const existing = await selectExternalOrder(work, source, externalId)
  if (existing) throw new DuplicateExternalId({ detail: `${source} ${externalId} is order ${existing.id}` })
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
  unit_price_amount: line.unitPrice,
  discount_amount: 0,
  tax_amount: 0,
  total_amount: lineTotal({ unitPrice: line.unitPrice, quantity: line.quantity, discount: 0, tax: 0 }),
  metadata,
})

/** One reservation per order and SKU: lines of the same SKU are summed, untracked ones need none. */
function reserve(orders: readonly OrderWithLines[], now: Date): Reserving[] {
  const later = new Map<string, number>()
  const reservations = orders.toReversed().flatMap((order) =>
    [...quantitiesBySku(order)].map(([sku, quantity]): Reserving => {
      const level = `${sku}@${order.location_id}`
      const takenLater = later.get(level) ?? 0
      later.set(level, takenLater + quantity)
      return {
        id: newId('rsv'),
        movement_id: newId('mov'),
        order_id: order.id,
        sku,
        location_id: order.location_id,
        quantity,
        state: order.status === 'confirmed' ? 'firm' : 'held',
        expires_at: order.expires_at,
        version: 1,
        created_at: now,
        updated_at: now,
        later: takenLater,
      }
    }),
  )
  return reservations.reverse()
}

function quantitiesBySku({ lines }: Pick<OrderWithLines, 'lines'>): Map<string, number> {
  const quantities = new Map<string, number>()
  for (const { sku, quantity, tracked } of lines)
    if (tracked) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  return quantities
}

/** What all reservations together take of each level; the first of a level knows what those after it take. */
function demandOf(reservations: readonly Reserving[]): Demand[] {
  const demand = new Map<string, Demand>()
  for (const { sku, location_id, quantity, later } of reservations) {
    const level = `${sku}@${location_id}`
    if (!demand.has(level)) demand.set(level, { sku, location_id, quantity: quantity + later })
  }
  return [...demand.values()]
}

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
