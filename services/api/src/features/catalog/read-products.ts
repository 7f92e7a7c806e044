import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentProduct } from './present.ts'
import { ProductNotFound } from './problems.ts'
import { type ProductFilter, selectProduct, selectProducts } from './repository.ts'
import type { Product } from './schemas.ts'

export async function getProduct(view: View, productId: string): Promise<Product> {
  const row = await selectProduct(view, productId)
  if (!row) throw new ProductNotFound()
  return presentProduct(row)
}

export async function listProducts(view: View, filter: ProductFilter, page: PageRequest): Promise<Page<Product>> {
  return toPage(await selectProducts(view, filter, page), page, ({ id }) => [id], presentProduct)
}
