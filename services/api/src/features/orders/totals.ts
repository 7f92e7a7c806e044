/** Integer minor units throughout; sums of integers, so nothing is ever rounded. */
export interface LineAmounts {
  readonly unitPrice: number
  readonly quantity: number
  readonly discount: number
  readonly tax: number
}

export interface OrderAmounts {
  readonly items: number
  readonly discount: number
  readonly shipping: number
  readonly tax: number
  readonly total: number
}

/** What a line costs: quantity × unit price − discount + tax. */
export const lineTotal = ({ unitPrice, quantity, discount, tax }: LineAmounts): number =>
  unitPrice * quantity - discount + tax

/** Amounts of the order itself, beside those of its lines. */
export interface ExtraAmounts {
  readonly discounts: readonly { readonly amount: number }[]
  readonly shipping: readonly { readonly amount: number }[]
  readonly taxes: readonly { readonly amount: number }[]
}

const noExtras: ExtraAmounts = { discounts: [], shipping: [], taxes: [] }

/** Sums of an order; `total = items − discount + shipping + tax`. */
export function orderTotals(lines: readonly LineAmounts[], extras: ExtraAmounts = noExtras): OrderAmounts {
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)
  const extra = (entries: readonly { readonly amount: number }[]): number => sum(entries.map(({ amount }) => amount))
  const items = sum(lines.map(({ unitPrice, quantity }) => unitPrice * quantity))
  const discount = sum(lines.map((line) => line.discount)) + extra(extras.discounts)
  const shipping = extra(extras.shipping)
  const tax = sum(lines.map((line) => line.tax)) + extra(extras.taxes)
  return { items, discount, shipping, tax, total: items - discount + shipping + tax }
}

/** Whether every sum can be stored and sent exactly. */
export const isExact = (amounts: OrderAmounts): boolean => Object.values(amounts).every(Number.isSafeInteger)
