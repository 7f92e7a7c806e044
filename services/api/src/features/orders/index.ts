export { liveAmounts, liveTotals, liveUnits } from './live-totals.ts'
export { outOfStock, type PlacementTerms, placed, recordPlacement, reserveStock } from './placement.ts'
export { personalOf, presentOrder, presentSnapshot } from './present.ts'
export {
  CurrencyMismatch,
  DiscountTooLarge,
  OrderNotFound,
  OutOfStock,
  PriceNotAllowed,
  UnknownSku,
} from './problems.ts'
export { type HoldRow, type LineRow, lockOrder, type OrderRow, type OrderWithLines } from './repository.ts'
export { orderRoutes } from './routes.ts'
export { Address, Customer, maxHolds, Notes, Order, OrderParams } from './schemas.ts'
export { allowsTransition, heldSteps, isHeld, type OrderAction, owesNothingNow } from './status.ts'
export { lineTotal } from './totals.ts'
