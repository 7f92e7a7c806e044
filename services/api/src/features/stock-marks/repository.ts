import { sql } from 'kysely'
import { type Condition, type LevelKey, type LevelRow, severities } from '#features/inventory/index.ts'
import { runSql } from '#platform/database.ts'
import type { Work } from '#platform/work.ts'

const conditionText = `case
    when on_hand < reserved then 'shortfall'
    when on_hand - reserved - safety_stock <= 0 then 'out'
    when on_hand - reserved - safety_stock <= low_stock_threshold then 'low'
    else 'ok'
  end`
const unmarkedText = `select organization_id, sku, location_id from stock_levels where marked <> ${conditionText} limit $1`

/** Levels of all organizations whose condition is not what was last told. */
export const selectUnmarked = (db: Work['db'], limit: number) =>
  runSql<LevelKey & { organization_id: string }>(db, unmarkedText, [limit])

/** What was last told of a level that is locked. */
export async function selectMark(work: Work, { sku, location_id }: LevelKey): Promise<Condition> {
  const level = work.db.selectFrom('stock_levels').select('marked').where('sku', '=', sku)
  const { marked } = await level.where('location_id', '=', location_id).executeTakeFirstOrThrow()
  return severities.find((condition) => condition === marked) ?? 'ok'
}

export const writeMark = (work: Work, { sku, location_id }: LevelKey, marked: Condition) =>
  work.db
    .updateTable('stock_levels')
    .set({ marked })
    .where('sku', '=', sku)
    .where('location_id', '=', location_id)
    .execute()

/** The orders that were promised last: those whose units are not there. */
export async function selectUncoveredOrders(work: Work, level: LevelRow, limit: number): Promise<string[]> {
  const missing = level.reserved - level.on_hand
  const { rows } = await sql<{ order_id: string }>`
    select distinct order_id from (
      select order_id, sum(quantity) over (order by created_at desc, id desc) - quantity as later from reservations
      where organization_id = current_setting('app.organization_id') and sku = ${level.sku}
        and location_id = ${level.location_id} and state in ('held', 'firm')
    ) promised
    where later < ${missing} and order_id is not null order by order_id limit ${limit}`.execute(work.db)
  return rows.map(({ order_id }) => order_id)
}
