import { defineProblem } from '#platform/problem.ts'

export const LocationNotFound = defineProblem({
  status: 404,
  code: 'LOCATION_NOT_FOUND',
  title: 'There is no such location',
})
export const StockLevelNotFound = defineProblem({
  status: 404,
  code: 'STOCK_LEVEL_NOT_FOUND',
  title: 'No stock is kept of this SKU at this location',
})
export const UnknownStockItem = defineProblem({
  status: 422,
  code: 'UNKNOWN_STOCK_ITEM',
  title: 'A SKU or location that is named does not exist',
  advice: 'Create the product and the location first; entries of errors say which one is unknown.',
})
export const RepeatedLevel = defineProblem({
  status: 422,
  code: 'REPEATED_LEVEL',
  title: 'A SKU and location are given twice in one request',
})
export const InsufficientOnHand = defineProblem({
  status: 409,
  code: 'INSUFFICIENT_ON_HAND',
  title: 'The adjustment would bring the stock on hand below zero',
})
export const StockLimitExceeded = defineProblem({
  status: 422,
  code: 'STOCK_LIMIT_EXCEEDED',
  title: 'The adjustment would bring the stock on hand above 1,000,000,000',
})
export const OutOfStock = defineProblem({
  status: 409,
  code: 'OUT_OF_STOCK',
  title: 'Not enough stock to place the order',
  advice: 'Each entry of errors names a line and what is available. The same request succeeds after a restock.',
})
