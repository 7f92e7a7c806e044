import { conditionOf, type LevelKey, lockLevels, presentLevel, severities } from '#features/inventory/index.ts'
import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import { selectMark, selectUncoveredOrders, writeMark } from './repository.ts'

/** Most orders named in one event. */
const mostOrders = 1_000

/** Tells the readers of the ledger when a level became low, ran out, fell short of what is promised, or came back. */
export async function markLevel(work: Work, key: LevelKey): Promise<void> {
  const [level] = await lockLevels(work, [key])
  if (!level) return
  const [before, now] = [await selectMark(work, key), conditionOf(level)]
  if (before === now) return
  const orderIds = now === 'shortfall' ? await selectUncoveredOrders(work, level, mostOrders) : []
  await writeMark(work, key, now)
  const isBetter = severities.indexOf(now) < severities.indexOf(before)
  const type = isBetter && now !== 'out' ? 'stock.back' : now === 'ok' ? 'stock.back' : (`stock.${now}` as const)
  const id = newId('chk')
  const data = { ...presentLevel(level), id, version: 1, levelVersion: level.version, orderIds }
  work.record({ type, resource: { type: 'stockMark', id, version: 1 }, changed: ['condition'], data })
}
