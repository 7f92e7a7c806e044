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

/** Sums of an order; `total = items − discount + shipping + tax`. */
export function orderTotals(lines: readonly LineAmounts[], shipping = 0): OrderAmounts {
  const sum = (amountOf: (line: LineAmounts) => number): number =>
    lines.reduce((total, line) => total + amountOf(line), 0)
  const items = sum(({ unitPrice, quantity }) => unitPrice * quantity)
  const discount = sum((line) => line.discount)
  const tax = sum((line) => line.tax)
  return { items, discount, shipping, tax, total: items - discount + shipping + tax }
}

/** Whether every sum can be stored and sent exactly. */
export const isExact = (amounts: OrderAmounts): boolean => Object.values(amounts).every(Number.isSafeInteger)
