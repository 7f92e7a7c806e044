import { selectLevelsAt } from '#features/inventory/index.ts'
import { money } from '#platform/money.ts'
import type { View } from '#platform/work.ts'
import { readSaleTerms } from './place-order.ts'
import type { Quote, QuoteOrder } from './placing-schemas.ts'
import { type PricedOrder, priceOrder } from './pricing.ts'
import { lineTotal } from './totals.ts'

/** What an order would cost and whether its stock is there; nothing is written or reserved. */
export async function quoteOrder(view: View, input: QuoteOrder): Promise<Quote> {
  const priced = priceOrder(await readSaleTerms(view, [input]), view.actor, input)
  const { currency, totals, locationId } = priced
  const stock = await stockFor(view, priced)
  const amounts = Object.entries(totals).map(([name, amount]) => [name, money(amount, currency)])
  return {
    placeable: stock.every(({ sufficient }) => sufficient),
    locationId,
    totals: Object.fromEntries(amounts) as Quote['totals'],
    lines: priced.lines.map((line) => ({
      sku: line.sku,
      title: line.title,
      quantity: line.quantity,
      unitPrice: money(line.unitPrice, currency),
      priceSource: line.priceSource,
      discount: money(line.discount, currency),
      tax: money(line.tax, currency),
      total: money(lineTotal(line), currency),
    })),
    stock,
  }
}

async function stockFor(view: View, { lines, locationId }: PricedOrder): Promise<Quote['stock']> {
  const bySku = Map.groupBy(lines, ({ sku }) => sku)
  const levels = await selectLevelsAt(view, locationId, [...bySku.keys()])
  const available = new Map(levels.map((level) => [level.sku, level.on_hand - level.reserved - level.safety_stock]))
  return [...bySku].map(([sku, group]): Quote['stock'][number] => {
    const requested = group.reduce((sum, { quantity }) => sum + quantity, 0)
    if (!group[0]?.tracked) return { sku, policy: 'untracked', requested, available: null, sufficient: true }
    const left = available.get(sku) ?? 0
    return { sku, policy: 'deny', requested, available: left, sufficient: left >= requested }
  })
}
