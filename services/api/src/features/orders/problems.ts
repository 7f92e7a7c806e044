import { defineProblem } from '#platform/problem.ts'

export { OutOfStock } from '#features/inventory/index.ts'

export const OrderNotFound = defineProblem({ status: 404, code: 'ORDER_NOT_FOUND', title: 'There is no such order' })
export const DuplicateExternalId = defineProblem({
  status: 409,
  code: 'DUPLICATE_EXTERNAL_ID',
  title: 'An order of this source with this external id exists already',
  advice: 'Read the existing order; detail names it.',
})
export const SourceNotAllowed = defineProblem({
  status: 403,
  code: 'SOURCE_NOT_ALLOWED',
  title: 'The API key places orders of its own sources only',
  advice: 'Give one of the allowedSources of the key as source.',
})
export const UnknownSku = defineProblem({
  status: 422,
  code: 'UNKNOWN_SKU',
  title: 'A line names a SKU that is not for sale',
  advice: 'Entries of errors name the lines. Products must exist and be active.',
})
export const PriceMissing = defineProblem({
  status: 422,
  code: 'PRICE_MISSING',
  title: 'A product has no price in the currency of the order',
})
export const PriceNotAllowed = defineProblem({
  status: 403,
  code: 'PRICE_NOT_ALLOWED',
  title: 'Giving a unit price or a discount needs the scope orders:price',
})
export const CurrencyMismatch = defineProblem({
  status: 422,
  code: 'CURRENCY_MISMATCH',
  title: 'All amounts of an order are in its one currency',
})
export const UnknownLocation = defineProblem({
  status: 422,
  code: 'UNKNOWN_LOCATION',
  title: 'There is no such location to take the stock from',
  advice: 'Name an existing locationId, or create a default location.',
})
export const AmountTooLarge = defineProblem({
  status: 422,
  code: 'AMOUNT_TOO_LARGE',
  title: 'The sum of the order is too large',
})
export const DiscountTooLarge = defineProblem({
  status: 422,
  code: 'DISCOUNT_TOO_LARGE',
  title: 'A discount is larger than what there is to pay',
  advice: 'Neither a line nor the order may come to less than nothing.',
})
