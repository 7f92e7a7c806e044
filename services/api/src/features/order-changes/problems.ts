import { defineProblem } from '#platform/problem.ts'

export const OrderNotCancellable = defineProblem({
  status: 409,
  code: 'ORDER_NOT_CANCELLABLE',
  title: 'The order cannot be cancelled in its present status',
})
export const OrderNotDraft = defineProblem({
  status: 409,
  code: 'ORDER_NOT_DRAFT',
  title: 'Only a draft can be placed',
})
export const OrderNotConfirmable = defineProblem({
  status: 409,
  code: 'ORDER_NOT_CONFIRMABLE',
  title: 'The order cannot be confirmed in its present status',
})
export const OrderOnHold = defineProblem({
  status: 409,
  code: 'ORDER_ON_HOLD',
  title: 'A hold keeps this step from happening',
  advice: 'The holds of the order say what blocks which step. Release them, or wait for their release.',
})
export const PaymentMissing = defineProblem({
  status: 409,
  code: 'PAYMENT_MISSING',
  title: 'A prepaid order is confirmed once it is paid',
})
export const OrderNotChangeable = defineProblem({
  status: 409,
  code: 'ORDER_NOT_CHANGEABLE',
  title: 'The order cannot be changed in its present status',
})
export const LineNotFound = defineProblem({
  status: 404,
  code: 'LINE_NOT_FOUND',
  title: 'The order has no such line',
})
export const LineNotCancellable = defineProblem({
  status: 409,
  code: 'LINE_NOT_CANCELLABLE',
  title: 'The line has fewer units left than are to be cancelled',
  advice: 'Units that are cancelled or fulfilled already cannot be cancelled.',
})
export const HoldNotFound = defineProblem({
  status: 404,
  code: 'HOLD_NOT_FOUND',
  title: 'The order has no such hold',
  advice: 'It may have been released already.',
})
export const HoldNotManual = defineProblem({
  status: 409,
  code: 'HOLD_NOT_MANUAL',
  title: 'Only manual holds are released by hand',
  advice: 'Other holds end with what they wait for: a review, a payment, stock.',
})
export const TooManyHolds = defineProblem({
  status: 409,
  code: 'TOO_MANY_HOLDS',
  title: 'The order has as many holds as it can have',
})
