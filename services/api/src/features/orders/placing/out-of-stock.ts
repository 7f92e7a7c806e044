import type { AppError, FieldIssue } from '#platform/problem.ts'
import { OutOfStock } from '../problems.ts'

export interface Shortage {
  readonly sku: string
  readonly quantity: number
  readonly available: number
}

export function outOfStock(lines: readonly { readonly sku: string }[], shortages: readonly Shortage[]): AppError {
  const bySku = new Map(shortages.map((shortage) => [shortage.sku, shortage]))
  const errors = lines.flatMap(({ sku }, index): FieldIssue[] => {
    const short = bySku.get(sku)
    if (!short) return []
    const message = `SKU ${sku}: ${short.quantity} requested, ${short.available} available`
    return [{ field: `lines[${index}].quantity`, pointer: `/lines/${index}/quantity`, code: 'OUT_OF_STOCK', message }]
  })
  return new OutOfStock({ detail: errors[0]?.message ?? OutOfStock.definition.title, errors })
}
