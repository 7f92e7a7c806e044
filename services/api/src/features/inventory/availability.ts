import { selectProductsForSale } from '#features/catalog/index.ts'
import type { View } from '#platform/work.ts'
import { availableOf } from './movements.ts'
import { type LevelRow, selectLevelsOf } from './repository.ts'
import type { Availability, CheckAvailability } from './schemas.ts'

type Item = Availability['items'][number]

/** What is there of many SKUs, location by location, in the order they were asked for. */
export async function checkAvailability(view: View, { skus, locationId }: CheckAvailability): Promise<Availability> {
  const wanted = [...new Set(skus)]
  const [levels, products] = await Promise.all([selectLevelsOf(view, wanted), selectProductsForSale(view, wanted)])
  const bySku = Map.groupBy(levels, ({ sku }) => sku)
  const policies = new Map(products.map(({ sku, stock_policy }) => [sku, stock_policy]))
  const items = wanted.map((sku): Item => {
    const own = (bySku.get(sku) ?? []).filter((level) => locationId === undefined || level.location_id === locationId)
    return {
      sku,
      stockPolicy: (policies.get(sku) ?? null) as Item['stockPolicy'],
      backorderable: policies.get(sku) === 'backorder',
      available: own.reduce((sum, level) => sum + Math.max(availableOf(level), 0), 0),
      locations: own.map(presentPlace),
    }
  })
  return { items }
}

const presentPlace = (level: LevelRow): Item['locations'][number] => ({
  locationId: level.location_id,
  onHand: level.on_hand,
  reserved: level.reserved,
  backordered: level.backordered,
  safetyStock: level.safety_stock,
  available: availableOf(level),
})
