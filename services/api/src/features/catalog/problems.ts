import { defineProblem } from '#platform/problem.ts'

export const ProductNotFound = defineProblem({
  status: 404,
  code: 'PRODUCT_NOT_FOUND',
  title: 'There is no such product',
})
export const DuplicateSku = defineProblem({
  status: 409,
  code: 'DUPLICATE_SKU',
  title: 'A product with this SKU exists already',
  advice: 'Change the existing product, or use the batch operation, which creates or updates by SKU.',
})
export const RepeatedEntry = defineProblem({
  status: 422,
  code: 'REPEATED_ENTRY',
  title: 'Something is given twice in one request',
  advice: 'Name each SKU once per batch and each currency once per product.',
})
export const ProductArchived = defineProblem({
  status: 409,
  code: 'PRODUCT_ARCHIVED',
  title: 'The product is archived already',
  advice: 'Set its status to bring it back.',
})
