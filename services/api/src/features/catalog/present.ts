import { timestamp } from '#platform/wire.ts'
import type { ProductRow } from './repository.ts'
import type { Product } from './schemas.ts'

export const presentProduct = (row: ProductRow): Product => ({
  id: row.id,
  sku: row.sku,
  title: row.title,
  description: row.description,
  status: row.status as Product['status'],
  stockPolicy: row.stock_policy as Product['stockPolicy'],
  prices: Object.entries(row.prices as Record<string, number>).map(([currency, amount]) => ({ amount, currency })),
  attributes: row.attributes as Record<string, string>,
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})
