export { availableOf, type Condition, conditionOf, severities } from './condition.ts'
export { createLocation } from './locations.ts'
export { type FillBackorders, movementBetween, writeSteps } from './movements.ts'
export { presentLevel } from './present.ts'
export { OutOfStock, UnknownStockItem } from './problems.ts'
export { releasePart, releaseStock } from './release-stock.ts'
export {
  type LevelKey,
  type LevelRow,
  lockLevels,
  selectLevelsAt,
  selectLocation,
  selectLocationsForSale,
  writeLevels,
} from './repository.ts'
export { inventoryRoutes } from './routes.ts'
export { Location, maxQuantity, StockLevel } from './schemas.ts'
export { setStockLevels } from './set-stock.ts'
export { startLevels } from './start-levels.ts'
