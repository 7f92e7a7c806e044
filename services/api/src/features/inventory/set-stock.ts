import { selectProductsForSale } from '#features/catalog/index.ts'
import type { FieldIssue } from '#platform/problem.ts'
import { checkVersion, type ExpectedVersion, PreconditionFailed } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { type FillBackorders, recordAdjustment, type Step, writeSteps } from './movements.ts'
import { presentLevel } from './present.ts'
import { RepeatedLevel, UnknownStockItem } from './problems.ts'
import { type LevelRow, openLevels, selectLocationIds } from './repository.ts'
import type { SetStockLevel, SetStockLevels, StockLevel, StockLevels } from './schemas.ts'

interface Target {
  readonly sku: string
  readonly locationId: string
  readonly onHand: number
  readonly safetyStock?: number
  readonly lowStockThreshold?: number | null
}

/** Sets one level to what was counted; creates it when none is kept yet. */
export async function setStockLevel(
  work: Work,
  key: { readonly sku: string; readonly locationId: string },
  input: SetStockLevel,
  expected: ExpectedVersion,
  fill: FillBackorders,
): Promise<StockLevel> {
  const { reason, ...counts } = input
  await refuseUnknown(work, [key], () => '')
  const check = (level: LevelRow) => {
    if (level.version > 0) checkVersion(expected, level.version)
    else if (expected.versions !== null) throw new PreconditionFailed({ detail: 'No stock is kept here yet' })
  }
  const { levels } = await setLevels(work, [{ ...key, ...counts }], { reason, check, fill })
  const [level] = levels
  if (!level) throw new Error('setting one level returned none')
  return level
}

/** Sets many levels at once, all or nothing. */
export async function setStockLevels(
  work: Work,
  { levels, reason }: SetStockLevels,
  fill: FillBackorders,
): Promise<StockLevels> {
  const keys = new Set(levels.map(({ sku, locationId }) => `${sku}@${locationId}`))
  if (keys.size < levels.length) throw new RepeatedLevel()
  await refuseUnknown(work, levels, (index) => `/levels/${index}`)
  return setLevels(work, levels, { reason, check: () => {}, fill })
}

interface Setting {
  readonly reason: string | undefined
  readonly check: (level: LevelRow) => void
  readonly fill: FillBackorders
}

async function setLevels(work: Work, targets: readonly Target[], setting: Setting): Promise<StockLevels> {
  const steps = await nextLevels(work, targets, setting.check)
  const changed = steps.filter(({ before, after }) => before.version !== after.version)
  if (changed.length > 0) await writeSteps(work, changed, { type: 'adjustment', reason: setting.reason })
  const filled = await setting.fill(
    work,
    steps.map(({ after }) => after),
  )
  const now = new Map(filled.map((level) => [`${level.sku}@${level.location_id}`, level]))
  const finalOf = (level: LevelRow): LevelRow => now.get(`${level.sku}@${level.location_id}`) ?? level
  for (const { before, after } of changed) recordAdjustment(work, before, finalOf(after))
  return { levels: steps.map(({ after }) => presentLevel(finalOf(after))) }
}

async function nextLevels(work: Work, targets: readonly Target[], check: Setting['check']): Promise<Step[]> {
  const opened = await openLevels(
    work,
    targets.map(({ sku, locationId }) => ({ sku, location_id: locationId })),
  )
  const byKey = new Map(opened.map((level) => [`${level.sku}@${level.location_id}`, level]))
  return targets.map((target) => {
    const before = byKey.get(`${target.sku}@${target.locationId}`)
    if (!before) throw new Error('a level that was opened is missing')
    check(before)
    return { before, after: nextLevel(before, target, work.now) }
  })
}

/** A level that is counted as it was keeps its version, unless it is new. */
function nextLevel(before: LevelRow, { onHand, safetyStock, lowStockThreshold }: Target, now: Date): LevelRow {
  const next = {
    ...before,
    on_hand: onHand,
    safety_stock: safetyStock ?? before.safety_stock,
    low_stock_threshold: lowStockThreshold === undefined ? before.low_stock_threshold : lowStockThreshold,
  }
  const facts = ['on_hand', 'safety_stock', 'low_stock_threshold'] as const
  const same = before.version > 0 && facts.every((name) => next[name] === before[name])
  return same ? before : { ...next, version: before.version + 1, updated_at: now }
}

/** `pathOf` is where in the request a target stands, as a JSON pointer. */
async function refuseUnknown(
  work: Work,
  targets: readonly Pick<Target, 'sku' | 'locationId'>[],
  pathOf: (index: number) => string,
): Promise<void> {
  const [products, locations] = await Promise.all([
    selectProductsForSale(work, [...new Set(targets.map(({ sku }) => sku))]),
    selectLocationIds(work, [...new Set(targets.map(({ locationId }) => locationId))]),
  ])
  const skus = new Set(products.map(({ sku }) => sku))
  const errors = targets.flatMap(({ sku, locationId }, index) => [
    ...(skus.has(sku) ? [] : [unknown(`${pathOf(index)}/sku`, `there is no product with SKU ${sku}`)]),
    ...(locations.has(locationId)
      ? []
      : [unknown(`${pathOf(index)}/locationId`, `there is no location ${locationId}`)]),
  ])
  if (errors.length > 0) throw new UnknownStockItem({ detail: errors[0]?.message ?? '', errors })
}

const unknown = (pointer: string, message: string): FieldIssue => ({
  field: pointer.slice(1).replace(/\/(\d+)\//, '[$1].'),
  pointer,
  code: 'UNKNOWN',
  message,
})
