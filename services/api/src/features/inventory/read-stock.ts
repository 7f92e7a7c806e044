import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentLevel, presentMovement } from './present.ts'
import { StockLevelNotFound } from './problems.ts'
import {
  type LevelFilter,
  type LevelKey,
  type MovementFilter,
  movementOrder,
  selectLevel,
  selectLevels,
  selectMovements,
} from './repository.ts'
import type { StockLevel, StockMovement } from './schemas.ts'

export async function getStockLevel(view: View, key: LevelKey): Promise<StockLevel> {
  const row = await selectLevel(view, key)
  if (!row) throw new StockLevelNotFound()
  return presentLevel(row)
}

export async function listStockLevels(view: View, filter: LevelFilter, page: PageRequest): Promise<Page<StockLevel>> {
  const rows = await selectLevels(view, filter, page)
  return toPage(rows, page, ({ sku, location_id }) => [sku, location_id], presentLevel)
}

export async function listLevelMovements(view: View, key: LevelKey, page: PageRequest): Promise<Page<StockMovement>> {
  if (!(await selectLevel(view, key))) throw new StockLevelNotFound()
  return listMovements(view, { sku: key.sku, locationId: key.location_id }, page)
}

export async function listMovements(
  view: View,
  filter: MovementFilter,
  page: PageRequest,
): Promise<Page<StockMovement>> {
  const byTime = movementOrder(filter).columns.length > 1
  const rows = await selectMovements(view, filter, page)
  return toPage(rows, page, ({ id, occurred_at }) => (byTime ? [occurred_at.toISOString(), id] : [id]), presentMovement)
}
