import { availableOf, selectLevelsAt } from '#features/inventory/index.ts'
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
  const found = new Map(levels.map((level) => [level.sku, level]))
  return [...bySku].map(([sku, group]): Quote['stock'][number] => {
    const requested = group.reduce((sum, { quantity }) => sum + quantity, 0)
    const stock = { sku, requested, backordered: 0 }
    if (!group[0]?.tracked) return { ...stock, policy: 'untracked', available: null, sufficient: true }
    const level = found.get(sku)
    const available = level ? availableOf(level) : 0
    if (!group[0].mayWait) return { ...stock, policy: 'deny', available, sufficient: available >= requested }
    // Whoever comes while others wait gets in line behind them.
    const taken = level && level.backordered > 0 ? 0 : Math.min(Math.max(available, 0), requested)
    return { ...stock, policy: 'backorder', available, backordered: requested - taken, sufficient: true }
  })
}
