import { changedFields } from '#platform/changed-fields.ts'
import type { Work } from '#platform/work.ts'
import { presentProduct } from './present.ts'
import type { ProductRow } from './repository.ts'
import type { Product } from './schemas.ts'

const facts = ['title', 'description', 'status', 'stockPolicy', 'prices', 'attributes', 'metadata'] as const

/** Names of the fields in which two versions of a product differ. */
export const productChanges = (before: ProductRow, after: ProductRow): readonly string[] =>
  changedFields(facts, presentProduct(before), presentProduct(after))

/** Tells the readers of the ledger what became of a product; `before` is undefined for a new one. */
export function recordProduct(work: Work, before: ProductRow | undefined, after: ProductRow): Product {
  const product = presentProduct(after)
  const resource = { type: 'product', id: after.id, version: after.version }
  const archived = before !== undefined && before.status !== 'archived' && after.status === 'archived'
  const type = before === undefined ? 'product.created' : archived ? 'product.archived' : 'product.updated'
  work.record({ type, resource, changed: before === undefined ? [] : productChanges(before, after), data: product })
  return product
}
