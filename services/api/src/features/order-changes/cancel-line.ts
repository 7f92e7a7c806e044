import { releasePart } from '#features/inventory/index.ts'
import {
  CurrencyMismatch,
  DiscountTooLarge,
  lineTotal,
  liveAmounts,
  liveTotals,
  liveUnits,
  type Order,
  type OrderWithLines,
  PriceNotAllowed,
} from '#features/orders/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { endOrder } from './cancel-order.ts'
import { lockFor, recordChange } from './locked-order.ts'
import { LineNotCancellable, LineNotFound, OrderNotCancellable } from './problems.ts'
import { type LineRow, updateLine, updateOrder } from './repository.ts'
import type { CancelLine } from './schemas.ts'

/**
 * Cancels units of a line that are not fulfilled and gives their stock back; the totals are then those of the live
 * units. Cancelling the last live unit of an order cancels the order.
 */
export async function cancelLine(
  work: Work,
  { orderId, lineId }: { readonly orderId: string; readonly lineId: string },
  input: CancelLine,
  expected: ExpectedVersion,
): Promise<Order> {
  const order = await lockFor(work, 'cancelLine', orderId, expected, OrderNotCancellable)
  const line = order.lines.find(({ id }) => id === lineId)
  if (!line) throw new LineNotFound()
  const left = liveUnits(line) - line.quantity_fulfilled
  const quantity = input.quantity ?? left
  if (left === 0 || quantity > left)
    throw new LineNotCancellable({ detail: `${left} left, ${quantity} to be cancelled` })
  const live = order.lines.reduce((sum, each) => sum + liveUnits(each), 0)
  if (quantity === live) return endOrder(work, order, { status: 'cancelled', reason: input.reason ?? null })
  refuseAmounts(work, order, line, input)
  const remaining = remainingLine(line, quantity, input)
  const lines = order.lines.map((each) => (each === line ? remaining : each))
  const change = { ...totalsOf({ ...order, lines }, remaining), version: order.version + 1 }
  await Promise.all([updateLine(work, order.id, remaining), updateOrder(work, order.id, change)])
  const waiting = line.quantity_backordered - remaining.quantity_backordered
  if (line.tracked) await releasePart(work, order.id, { sku: line.sku, waiting, reserved: quantity - waiting })
  const changed = { ...order, ...change, lines, updated_at: work.now }
  return recordChange(work, 'order.lineCancelled', changed, { changed: ['lines', 'totals'] })
}

function refuseAmounts({ actor }: Work, { currency }: OrderWithLines, line: LineRow, input: CancelLine): void {
  for (const name of ['discount', 'tax'] as const) {
    const given = input[name]?.currency ?? currency
    if (given === currency) continue
    const message = `the order is in ${currency}, not ${given}`
    const errors = [{ field: name, pointer: `/${name}`, code: 'CURRENCY_MISMATCH', message }]
    throw new CurrencyMismatch({ detail: message, errors })
  }
  const lowers =
    (input.discount?.amount ?? 0) > line.discount_amount || (input.tax?.amount ?? line.tax_amount) < line.tax_amount
  if (lowers && !actor.scopes.has('orders:price')) throw new PriceNotAllowed()
}

/** What is left of the line; units that wait for stock go first. */
function remainingLine(line: LineRow, quantity: number, { discount, tax }: CancelLine): LineRow {
  const remaining = {
    ...line,
    quantity_cancelled: line.quantity_cancelled + quantity,
    quantity_backordered: Math.max(0, line.quantity_backordered - quantity),
  }
  if (liveUnits(remaining) === 0) return { ...remaining, discount_amount: 0, tax_amount: 0, total_amount: 0 }
  const priced = {
    ...remaining,
    discount_amount: discount?.amount ?? line.discount_amount,
    tax_amount: tax?.amount ?? line.tax_amount,
  }
  return { ...priced, total_amount: lineTotal(liveAmounts(priced)) }
}

function totalsOf(order: OrderWithLines, remaining: LineRow) {
  const totals = liveTotals(order)
  if (remaining.total_amount < 0)
    throw new DiscountTooLarge({ detail: 'The discount of the line is more than is left' })
  if (totals.total < 0) throw new DiscountTooLarge({ detail: 'The discounts of the order are more than is left' })
  return {
    items_amount: totals.items,
    discount_amount: totals.discount,
    shipping_amount: totals.shipping,
    tax_amount: totals.tax,
    total_amount: totals.total,
  }
}
