import type { Work } from '#platform/work.ts'
import { productChanges, recordProduct } from './changes.ts'
import { newProductRow, pricesByCurrency } from './create-product.ts'
import { RepeatedEntry } from './problems.ts'
import { lockProducts, type ProductRow, upsertProducts } from './repository.ts'
import type { CreateProduct, UpsertedProducts, UpsertProducts } from './schemas.ts'

type Outcome = UpsertedProducts['products'][number]

/** Creates or updates by SKU. Fields that are not given keep their value; what does not change writes nothing. */
export async function upsertProductBatch(work: Work, { products }: UpsertProducts): Promise<UpsertedProducts> {
  const skus = products.map(({ sku }) => sku)
  if (new Set(skus).size < skus.length) throw new RepeatedEntry({ detail: 'A SKU is given twice in one batch' })
  const existing = new Map((await lockProducts(work, skus)).map((row) => [row.sku, row]))
  const rows = products.map((input) => mergedRow(input, existing.get(input.sku), work.now))
  const changed = rows.filter((row) => {
    const before = existing.get(row.sku)
    return before === undefined || productChanges(before, row).length > 0
  })
  const written = changed.length === 0 ? [] : await upsertProducts(work, changed)
  const bySku = new Map(written.map((row) => [row.sku, row]))
  return { products: rows.map((row) => outcomeOf(work, existing.get(row.sku), row, bySku.get(row.sku))) }
}

function outcomeOf(
  work: Work,
  before: ProductRow | undefined,
  row: ProductRow,
  written: Pick<ProductRow, 'id' | 'version'> | undefined,
): Outcome {
  if (!written) return { sku: row.sku, id: row.id, outcome: 'unchanged', version: row.version }
  const { id, version } = recordProduct(work, before, { ...row, ...written })
  return { sku: row.sku, id, outcome: before ? 'updated' : 'created', version }
}

function mergedRow(input: CreateProduct, existing: ProductRow | undefined, now: Date): ProductRow {
  if (!existing) return newProductRow(input, now)
  return {
    ...existing,
    title: input.title,
    description: input.description === undefined ? existing.description : input.description,
    status: input.status ?? existing.status,
    stock_policy: input.stockPolicy ?? existing.stock_policy,
    prices: pricesByCurrency(input),
    attributes: input.attributes ?? existing.attributes,
    metadata: input.metadata ?? existing.metadata,
    updated_at: now,
  }
}
