import pg from 'pg'
import type { View } from '#platform/work.ts'
import { queriesOf } from './collected-queries.ts'
import type { PlanNode } from './explained.ts'

/** What a read asks, run under generic plans as the application does it for one organization. */
export async function plansOf(
  db: pg.Pool,
  organizationId: string,
  read: (view: View) => Promise<unknown>,
): Promise<PlanNode[]> {
  const plans: PlanNode[] = []
  for (const { sql, parameters } of await queriesOf(read)) {
    const client = await db.connect()
    await client.query('begin')
    await client.query(`prepare asked as ${sql}`)
    await client.query(
      `select set_config('role', 'purser_app', true), set_config('app.organization_id', $1, true),
        set_config('plan_cache_mode', 'force_generic_plan', true)`,
      [organizationId],
    )
    const values = parameters.length === 0 ? '' : `(${parameters.map(literalOf).join(', ')})`
    const { rows } = await client.query(`explain (analyze, buffers, format json) execute asked ${values}`)
    await client.query('rollback; deallocate asked')
    client.release()
    plans.push(rows[0]['QUERY PLAN'][0].Plan)
  }
  return plans
}

function literalOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `array[${value.map(literalOf).join(', ')}]`
  return pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value))
}
