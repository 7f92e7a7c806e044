import { canonicalJson } from '#platform/canonical-json.ts'
import type { Work } from '#platform/work.ts'
import { presentProduct } from './present.ts'
import type { ProductRow } from './repository.ts'
import type { Product } from './schemas.ts'

const facts = ['title', 'description', 'status', 'stockPolicy', 'prices', 'attributes', 'metadata'] as const

/** Names of the fields in which two versions of a product differ. */
export function changedFields(before: ProductRow, after: ProductRow): string[] {
  const [old, fresh] = [presentProduct(before), presentProduct(after)]
  return facts.filter((name) => canonicalJson(old[name]) !== canonicalJson(fresh[name]))
}

/** Tells the readers of the ledger what became of a product; `before` is undefined for a new one. */
export function recordProduct(work: Work, before: ProductRow | undefined, after: ProductRow): Product {
  const product = presentProduct(after)
  const resource = { type: 'product', id: after.id, version: after.version }
  const archived = before !== undefined && before.status !== 'archived' && after.status === 'archived'
  const type = before === undefined ? 'product.created' : archived ? 'product.archived' : 'product.updated'
  work.record({ type, resource, changed: before === undefined ? [] : changedFields(before, after), data: product })
  return product
}
