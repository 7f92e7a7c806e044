import type { InvoiceLine } from './invoices.ts'

/** A product of the demo organization. */
export interface DemoProduct {
  readonly sku: string
  readonly title: string
  /** Pence. */
  readonly price: number
  readonly stockPolicy: 'deny' | 'untracked'
}

/** Every SKU of the invoices, in the order of SKUs, with its most frequent title and price. */
export function demoCatalog(invoices: readonly InvoiceLine[]): readonly DemoProduct[] {
  const titles = new Map<string, Map<string, number>>()
  const prices = new Map<string, Map<string, number>>()
  for (const { sku, description, unitPrice } of invoices) {
    const title = description.trim().replace(/\s+/g, ' ')
    count(titles, sku, isTitle(title) ? title : undefined)
    count(prices, sku, /[1-9]/.test(unitPrice) && !unitPrice.startsWith('-') ? unitPrice : undefined)
  }
  return [...titles.keys()].sort().map((sku) => ({
    sku,
    title: mostFrequent(titles.get(sku)) ?? sku,
    price: pence(mostFrequent(prices.get(sku)) ?? '0'),
    stockPolicy: isArticle(sku) ? 'deny' : 'untracked',
  }))
}

/**
 * A decimal amount of pounds in pence, without passing through binary fractions.
 * @throws on anything that is not a number with at most two decimals.
 */
export function pence(pounds: string): number {
  const [, whole, decimals = ''] = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(pounds) ?? []
  if (whole === undefined) throw new Error(`${pounds} is no amount of pounds`)
  return Number(whole + decimals.padEnd(2, '0'))
}

/** Articles have a number (85123A, DCGS0076); POST, M or BANK CHARGES are services and fees. */
const isArticle = (sku: string): boolean => /\d{4}/.test(sku)

/** Stock clerks wrote "?", "damages" or "amazon" where the till printed a title in capitals. */
const isTitle = (text: string): boolean => /[A-Z]/.test(text) && text !== 'Dotcom sales'

function count(counts: Map<string, Map<string, number>>, sku: string, value: string | undefined): void {
  const ofSku = counts.get(sku) ?? new Map<string, number>()
  counts.set(sku, ofSku)
  if (value !== undefined) ofSku.set(value, (ofSku.get(value) ?? 0) + 1)
}

/** The first of the most frequent values. */
function mostFrequent(counts: ReadonlyMap<string, number> | undefined): string | undefined {
  let best: string | undefined
  for (const [value, times] of counts ?? []) if (times > (counts?.get(best ?? '') ?? 0)) best = value
  return best
}
