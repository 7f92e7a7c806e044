import type { Work } from '#platform/work.ts'
import { recordNewLevel } from './movements.ts'
import { createLevels, type LevelKey } from './repository.ts'

/** Starts to keep stock, none as yet, where no level exists, so that orders have something to wait at. */
export async function startLevels(work: Work, keys: readonly LevelKey[]): Promise<void> {
  if (keys.length === 0) return
  for (const level of await createLevels(work, keys)) recordNewLevel(work, level)
}
