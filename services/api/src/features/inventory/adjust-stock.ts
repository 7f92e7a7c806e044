import { checkVersion, type ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { type FillBackorders, recordAdjustment, writeSteps } from './movements.ts'
import { presentLevel } from './present.ts'
import { InsufficientOnHand, StockLevelNotFound, StockLimitExceeded } from './problems.ts'
import { type LevelKey, lockLevels } from './repository.ts'
import { type AdjustStock, maxQuantity, type StockLevel } from './schemas.ts'

/** Adds to what is on hand, or takes from it; a change of 0 leaves everything as it is. */
export async function adjustStock(
  work: Work,
  key: LevelKey,
  { change, type, reason }: AdjustStock,
  expected: ExpectedVersion,
  fill: FillBackorders,
): Promise<StockLevel> {
  const [before] = await lockLevels(work, [key])
  if (!before) throw new StockLevelNotFound()
  checkVersion(expected, before.version)
  if (change === 0) return presentLevel(before)
  const onHand = before.on_hand + change
  if (onHand < 0) throw new InsufficientOnHand({ detail: `${before.on_hand} on hand, ${-change} to take` })
  if (onHand > maxQuantity) throw new StockLimitExceeded()
  const after = { ...before, on_hand: onHand, version: before.version + 1, updated_at: work.now }
  await writeSteps(work, [{ before, after }], { type: type ?? 'adjustment', reason })
  const [filled = after] = await fill(work, [after])
  recordAdjustment(work, before, filled)
  return presentLevel(filled)
}
