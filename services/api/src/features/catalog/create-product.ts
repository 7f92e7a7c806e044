import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import { recordProduct } from './changes.ts'
import { RepeatedEntry } from './problems.ts'
import { insertProduct, type ProductRow } from './repository.ts'
import type { CreateProduct, Product } from './schemas.ts'

export async function createProduct(work: Work, input: CreateProduct): Promise<Product> {
  const row = newProductRow(input, work.now)
  await insertProduct(work, row)
  return recordProduct(work, undefined, row)
}

export const newProductRow = (input: CreateProduct, now: Date): ProductRow => ({
  id: newId('prd'),
  sku: input.sku,
  title: input.title,
  description: input.description ?? null,
  status: input.status ?? 'active',
  stock_policy: input.stockPolicy ?? 'deny',
  prices: pricesByCurrency(input),
  attributes: input.attributes ?? {},
  metadata: input.metadata ?? {},
  version: 1,
  created_at: now,
  updated_at: now,
})

/** `[{ amount, currency }]` as `{ currency: amount }`, in the order of currencies. */
export function pricesByCurrency({ sku, prices }: Pick<CreateProduct, 'sku' | 'prices'>): Record<string, number> {
  const sorted = [...prices].sort((a, b) => (a.currency < b.currency ? -1 : 1))
  const byCurrency = Object.fromEntries(sorted.map(({ currency, amount }) => [currency, amount]))
  if (Object.keys(byCurrency).length < prices.length)
    throw new RepeatedEntry({ detail: `SKU ${sku} has two prices in one currency` })
  return byCurrency
}
