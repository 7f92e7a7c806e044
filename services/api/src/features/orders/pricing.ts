import type { ProductForSale } from '#features/catalog/index.ts'
import type { Actor } from '#platform/actor.ts'
import type { FieldIssue, ProblemClass } from '#platform/problem.ts'
import type { QuoteOrder } from './placing-schemas.ts'
import {
  AmountTooLarge,
  CurrencyMismatch,
  DiscountTooLarge,
  PriceMissing,
  PriceNotAllowed,
  UnknownLocation,
  UnknownSku,
} from './problems.ts'
import { isExact, type LineAmounts, lineTotal, type OrderAmounts, orderTotals } from './totals.ts'

/** What prices an order: looked up once for all orders that are placed together. */
export interface SaleTerms {
  readonly products: ReadonlyMap<string, ProductForSale>
  /** The organization's currency, for orders that name none. */
  readonly currency: string
  readonly locationIds: ReadonlySet<string>
  readonly defaultLocationId: string | null
}

export interface PricedLine extends LineAmounts {
  readonly sku: string
  readonly title: string
  readonly tracked: boolean
  readonly mayWait: boolean
  readonly priceSource: 'catalog' | 'request'
}

/** An amount of the order itself, in minor units of its currency. */
export interface DescribedAmount {
  readonly description: string
  readonly amount: number
}

export interface PricedOrder {
  readonly locationId: string
  readonly currency: string
  readonly totals: OrderAmounts
  readonly lines: readonly PricedLine[]
  readonly discounts: readonly DescribedAmount[]
  readonly shipping: readonly DescribedAmount[]
  readonly taxes: readonly DescribedAmount[]
}

/**
 * Computes every amount of an order; the same for placing and for quoting.
 * @throws UnknownSku, PriceMissing, PriceNotAllowed, CurrencyMismatch, UnknownLocation, AmountTooLarge, DiscountTooLarge.
 */
export function priceOrder(sale: SaleTerms, actor: Actor, input: QuoteOrder): PricedOrder {
  const locationId = locationFor(sale, input)
  const currency = input.currency ?? sale.currency
  refuseForeignAmounts(actor, input, currency)
  const { products } = sale
  refuseLines(UnknownSku, input, ({ sku }) => products.get(sku)?.status !== 'active' && `SKU ${sku} is not for sale`)
  refuseLines(PriceMissing, input, ({ sku, unitPrice }) => {
    const missing = unitPrice === undefined && products.get(sku)?.prices[currency] === undefined
    return missing && `SKU ${sku} has no price in ${currency}`
  })
  const lines = input.lines.map((line) => priceLine(line, products.get(line.sku) as ProductForSale, currency))
  const [discounts, shipping, taxes] = [amountsOf(input.discounts), amountsOf(input.shipping), amountsOf(input.taxes)]
  const totals = orderTotals(lines, { discounts, shipping, taxes })
  if (!isExact(totals)) throw new AmountTooLarge()
  refuseNegative(lines, totals)
  return { locationId, currency, totals, lines, discounts, shipping, taxes }
}

/** Refuses discounts beyond what there is to pay, of a line or of the order. */
export function refuseNegative(lines: readonly LineAmounts[], { total }: OrderAmounts): void {
  const code = DiscountTooLarge.definition.code
  const errors = lines.flatMap((line, index): FieldIssue[] => {
    if (lineTotal(line) >= 0) return []
    const message = `the discount leaves ${lineTotal(line)} to pay for the line`
    return [{ field: `lines[${index}].discount`, pointer: `/lines/${index}/discount`, code, message }]
  })
  if (errors.length === 0 && total < 0)
    errors.push({ field: 'discounts', pointer: '/discounts', code, message: `the discounts leave ${total} to pay` })
  if (errors[0]) throw new DiscountTooLarge({ detail: errors[0].message, errors })
}

function locationFor({ locationIds, defaultLocationId }: SaleTerms, { locationId }: QuoteOrder): string {
  const found = locationId === undefined ? defaultLocationId : locationIds.has(locationId) ? locationId : null
  if (found === null) throw new UnknownLocation()
  return found
}

type InputLine = QuoteOrder['lines'][number]

const priceLine = (line: InputLine, product: ProductForSale, currency: string): PricedLine => ({
  sku: line.sku,
  title: product.title,
  tracked: product.stock_policy !== 'untracked',
  mayWait: product.stock_policy === 'backorder',
  quantity: line.quantity,
  unitPrice: line.unitPrice?.amount ?? (product.prices[currency] as number),
  priceSource: line.unitPrice === undefined ? 'catalog' : 'request',
  discount: line.discount?.amount ?? 0,
  tax: line.tax?.amount ?? 0,
})

const amountsOf = (given: QuoteOrder['discounts']): DescribedAmount[] =>
  (given ?? []).map(({ description, amount }) => ({ description, amount: amount.amount }))

/** An amount the caller gave, and where it stands in the body. */
interface GivenAmount {
  readonly pointer: string
  readonly price: { readonly amount: number; readonly currency: string }
  /** True: it can lower what is owed. */
  readonly lowers: boolean
}

function givenAmounts(input: QuoteOrder): GivenAmount[] {
  const given = (pointer: string, price: GivenAmount['price'] | undefined, lowers: boolean): GivenAmount[] =>
    price === undefined ? [] : [{ pointer, price, lowers }]
  const ofOrder = (name: 'discounts' | 'shipping' | 'taxes') =>
    (input[name] ?? []).flatMap(({ amount }, index) => given(`/${name}/${index}/amount`, amount, name === 'discounts'))
  const ofLines = input.lines.flatMap(({ unitPrice, discount, tax }, index) => [
    ...given(`/lines/${index}/unitPrice`, unitPrice, true),
    ...given(`/lines/${index}/discount`, discount, true),
    ...given(`/lines/${index}/tax`, tax, false),
  ])
  return [...ofLines, ...ofOrder('discounts'), ...ofOrder('shipping'), ...ofOrder('taxes')]
}

/** Only who may set prices may lower what is owed; every amount is in the currency of the order. */
function refuseForeignAmounts(actor: Actor, input: QuoteOrder, currency: string): void {
  const given = givenAmounts(input)
  const refused = actor.scopes.has('orders:price') ? [] : given.filter(({ lowers }) => lowers)
  refuseAmounts(PriceNotAllowed, refused, () => 'needs the scope orders:price')
  const foreign = given.filter(({ price }) => price.currency !== currency)
  refuseAmounts(CurrencyMismatch, foreign, ({ price }) => `the order is in ${currency}, not ${price.currency}`)
}

/** An answer names no more amounts than this. */
const maxIssues = 1_000

function refuseAmounts(
  Refusal: ProblemClass,
  refused: readonly GivenAmount[],
  reasonOf: (amount: GivenAmount) => string,
): void {
  const errors = refused.slice(0, maxIssues).map((amount): FieldIssue => {
    const field = amount.pointer
      .slice(1)
      .replace(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.')
    return { field, pointer: amount.pointer, code: Refusal.definition.code, message: reasonOf(amount) }
  })
  if (errors[0]) throw new Refusal({ detail: `${errors[0].field}: ${errors[0].message}`, errors })
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
