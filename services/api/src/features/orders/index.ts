export { liveAmounts, liveTotals, liveUnits } from './live-totals.ts'
export { type PlacementTerms, placed, recordPlacement } from './placement.ts'
export { reserveDraft } from './placing/reserve-draft.ts'
export { personalOf, presentOrder, presentSnapshot, presentSummary } from './present.ts'
export {
  CurrencyMismatch,
  DiscountTooLarge,
  OrderNotFound,
  OutOfStock,
  PriceNotAllowed,
  UnknownSku,
} from './problems.ts'
export { lockOrder, type OrderWithLines, type SummaryRow, selectOrdersWithLines, summaryColumns } from './repository.ts'
export { orderRoutes } from './routes.ts'
export { Address, Customer, maxHolds, Notes, Order, OrderParams, OrderSnapshot, OrderSummary } from './schemas.ts'
export { allowsTransition, heldSteps, isHeld, type OrderAction, orderStatuses, owesNothingNow } from './status.ts'
export { lineTotal } from './totals.ts'
