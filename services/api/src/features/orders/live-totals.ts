import type { DescribedAmount } from './pricing.ts'
import type { LineRow, OrderWithLines } from './repository.ts'
import { type LineAmounts, type OrderAmounts, orderTotals } from './totals.ts'

/** Units of a line that are not cancelled. */
export const liveUnits = ({ quantity, quantity_cancelled }: LineRow): number => quantity - quantity_cancelled

/** The amounts of a line over its live units. */
export const liveAmounts = (line: LineRow): LineAmounts => ({
  unitPrice: line.unit_price_amount,
  quantity: liveUnits(line),
  discount: line.discount_amount,
  tax: line.tax_amount,
})

/** The sums of an order over its live units; the amounts of the order itself stay whole. */
export const liveTotals = ({ lines, discounts, shipping, taxes }: OrderWithLines): OrderAmounts =>
  orderTotals(lines.map(liveAmounts), {
    discounts: discounts as unknown as DescribedAmount[],
    shipping: shipping as unknown as DescribedAmount[],
    taxes: taxes as unknown as DescribedAmount[],
  })
