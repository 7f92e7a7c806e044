import { checkVersion, type ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { productChanges, recordProduct } from './changes.ts'
import { pricesByCurrency } from './create-product.ts'
import { presentProduct } from './present.ts'
import { ProductArchived, ProductNotFound } from './problems.ts'
import { lockProduct, type ProductRow, updateProduct } from './repository.ts'
import type { Product, UpdateProduct } from './schemas.ts'

/** Changes what is given; what leaves the product as it was writes nothing and keeps the version. */
export async function changeProduct(
  work: Work,
  productId: string,
  input: UpdateProduct,
  expected: ExpectedVersion,
): Promise<Product> {
  const before = await lockExpected(work, productId, expected)
  return writeChange(work, before, {
    ...before,
    title: input.title ?? before.title,
    description: input.description === undefined ? before.description : input.description,
    status: input.status ?? before.status,
    stock_policy: input.stockPolicy ?? before.stock_policy,
    prices: input.prices === undefined ? before.prices : pricesByCurrency({ sku: before.sku, prices: input.prices }),
    attributes: input.attributes ?? before.attributes,
    metadata: input.metadata ?? before.metadata,
  })
}

/** Takes a product off sale; orders that name it already keep their lines and their stock. */
export async function archiveProduct(work: Work, productId: string, expected: ExpectedVersion): Promise<Product> {
  const before = await lockExpected(work, productId, expected)
  if (before.status === 'archived') throw new ProductArchived()
  return writeChange(work, before, { ...before, status: 'archived' })
}

async function lockExpected(work: Work, productId: string, expected: ExpectedVersion): Promise<ProductRow> {
  const row = await lockProduct(work, productId)
  if (!row) throw new ProductNotFound()
  checkVersion(expected, row.version)
  return row
}

async function writeChange(work: Work, before: ProductRow, wanted: ProductRow): Promise<Product> {
  if (productChanges(before, wanted).length === 0) return presentProduct(before)
  const after = { ...wanted, version: before.version + 1, updated_at: work.now }
  await updateProduct(work, after)
  return recordProduct(work, before, after)
}
