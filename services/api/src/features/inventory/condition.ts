import type { LevelRow } from './repository.ts'

/** From harmless to grave. */
export const severities = ['ok', 'low', 'out', 'shortfall'] as const
export type Condition = (typeof severities)[number]

/** What may still be sold. */
export const availableOf = ({ on_hand, reserved, safety_stock }: LevelRow): number => on_hand - reserved - safety_stock

/** How a level stands; a shortfall is less on hand than is promised to orders. */
export function conditionOf(level: LevelRow): Condition {
  if (level.on_hand < level.reserved) return 'shortfall'
  const available = availableOf(level)
  if (available <= 0) return 'out'
  return level.low_stock_threshold !== null && available <= level.low_stock_threshold ? 'low' : 'ok'
}
