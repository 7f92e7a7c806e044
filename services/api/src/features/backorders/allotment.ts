import { availableOf, type LevelKey, type LevelRow } from '#features/inventory/index.ts'
import type { OrderWithLines } from '#features/orders/index.ts'
import type { Waiting } from './repository.ts'

/** Units that a waiting reservation gets. */
export interface Allotment {
  readonly waiting: Waiting
  readonly units: number
}

export const levelKey = ({ sku, location_id }: LevelKey): string => `${sku}@${location_id}`

/** Hands out what is available at each level in the order of the queue, to the last unit. */
export function allot(levels: readonly LevelRow[], queue: readonly Waiting[]): Allotment[] {
  const left = new Map(levels.map((level) => [levelKey(level), availableOf(level)]))
  return queue.flatMap((waiting) => {
    const available = left.get(levelKey(waiting)) ?? 0
    const units = Math.min(available, waiting.quantity)
    left.set(levelKey(waiting), available - units)
    return units > 0 ? [{ waiting, units }] : []
  })
}

/** The lines of one order after its allotments: lines of one SKU are filled in their order. */
export function fillLines(lines: OrderWithLines['lines'], allotments: readonly Allotment[]): OrderWithLines['lines'] {
  const left = new Map<string, number>()
  for (const { waiting, units } of allotments) left.set(waiting.sku, (left.get(waiting.sku) ?? 0) + units)
  return lines.map((line) => {
    const units = Math.min(left.get(line.sku) ?? 0, line.quantity_backordered)
    left.set(line.sku, (left.get(line.sku) ?? 0) - units)
    return units === 0 ? line : { ...line, quantity_backordered: line.quantity_backordered - units }
  })
}
