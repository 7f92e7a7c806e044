import type { ProductForSale } from '#features/catalog/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { FieldIssue, ProblemClass } from '#platform/problem.ts'
import {
  AmountTooLarge,
  CurrencyMismatch,
  PriceMissing,
  PriceNotAllowed,
  UnknownLocation,
  UnknownSku,
} from './problems.ts'
import type { QuoteOrder } from './schemas.ts'
import { isExact, type OrderAmounts, orderTotals } from './totals.ts'

/** What prices an order: looked up once for all orders that are placed together. */
export interface SaleTerms {
  readonly products: ReadonlyMap<string, ProductForSale>
  /** The organization's currency, for orders that name none. */
  readonly currency: string
  readonly locationIds: ReadonlySet<string>
  readonly defaultLocationId: string | null
}

export interface PricedOrder {
  readonly locationId: string
  readonly currency: string
  readonly totals: OrderAmounts
  readonly lines: readonly {
    readonly sku: string
    readonly title: string
    readonly tracked: boolean
    readonly mayWait: boolean
    readonly quantity: number
    readonly unitPrice: number
    readonly priceSource: 'catalog' | 'request'
  }[]
}

/**
 * Computes every amount of an order; the same for placing and for quoting.
 * @throws UnknownSku, PriceMissing, PriceNotAllowed, CurrencyMismatch, UnknownLocation, AmountTooLarge.
 */
export function priceOrder(sale: SaleTerms, actor: Actor, input: QuoteOrder): PricedOrder {
  const locationId = locationFor(sale, input)
  const currency = input.currency ?? sale.currency
  refuseForeignPrices(actor, input, currency)
  const { products } = sale
  refuseLines(UnknownSku, input, ({ sku }) => products.get(sku)?.status !== 'active' && `SKU ${sku} is not for sale`)
  refuseLines(PriceMissing, input, ({ sku, unitPrice }) => {
    const missing = unitPrice === undefined && products.get(sku)?.prices[currency] === undefined
    return missing && `SKU ${sku} has no price in ${currency}`
  })
  const lines = input.lines.map((line) => priceLine(line, products.get(line.sku) as ProductForSale, currency))
  const totals = orderTotals(lines.map(({ unitPrice, quantity }) => ({ unitPrice, quantity, discount: 0, tax: 0 })))
  if (!isExact(totals)) throw new AmountTooLarge()
  return { locationId, currency, totals, lines }
}

function locationFor({ locationIds, defaultLocationId }: SaleTerms, { locationId }: QuoteOrder): string {
  const found = locationId === undefined ? defaultLocationId : locationIds.has(locationId) ? locationId : null
  if (found === null) throw new UnknownLocation()
  return found
}

type InputLine = QuoteOrder['lines'][number]

const priceLine = ({ sku, quantity, unitPrice }: InputLine, product: ProductForSale, currency: string) => ({
  sku,
  title: product.title,
  tracked: product.stock_policy !== 'untracked',
  mayWait: product.stock_policy === 'backorder',
  quantity,
  unitPrice: unitPrice?.amount ?? (product.prices[currency] as number),
  priceSource: unitPrice === undefined ? ('catalog' as const) : ('request' as const),
})

function refuseForeignPrices(actor: Actor, input: QuoteOrder, currency: string): void {
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
