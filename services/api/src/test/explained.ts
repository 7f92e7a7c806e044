import type { Test } from 'tap'
import { captureLog } from './captured-log.ts'
import { type Harness, harness } from './harness.ts'

/** One node of a plan as EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) and auto_explain write it. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Filter?: string
  readonly 'Actual Loops': number
  readonly 'Actual Rows': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly PlanNode[]
}

/** A statement as it was run, those of functions and of foreign keys included. */
export interface Explained {
  readonly text: string
  readonly plan: PlanNode
}

export interface ExplainedHarness extends Harness {
  /** The statements that PostgreSQL has run for the service since the last call. */
  take(): readonly Explained[]
}

/**
 * A service whose database tells the plan of every statement it runs. It has one connection and generic plans alone:
 * what was planned once is used until the tables are analyzed, as in production.
 */
export async function explainedHarness(t: Test, env: Readonly<Record<string, string>> = {}): Promise<ExplainedHarness> {
  const captured = captureLog('debug')
  const h = await harness(t, {
    log: captured.log,
    env: { ...env, DB_POOL_SIZE: '1', AUTHENTICATION_CACHE_TTL_MS: '0' },
    async prepare(db) {
      const { rows } = await db.query<{ name: string }>('select current_database() as name')
      for (const [setting, value] of settings)
        await db.query(`alter database ${rows[0]?.name} set ${setting} to '${value}'`)
      const tables = await db.query<{ name: string }>(`select relname as name from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace`)
      for (const { name } of tables.rows) await db.query(`alter table ${name} set (autovacuum_enabled = off)`)
    },
  })
  const take = () =>
    captured
      .take()
      .map(({ message }) => String(message))
      .filter((message) => message.startsWith('duration:'))
      .map((message): Explained => {
        const { 'Query Text': text, Plan: plan } = JSON.parse(message.slice(message.indexOf('{')))
        return { text, plan }
      })
  return { ...h, take }
}

const settings = [
  ['session_preload_libraries', 'auto_explain'],
  ['auto_explain.log_min_duration', '0'],
  ['auto_explain.log_analyze', 'on'],
  ['auto_explain.log_buffers', 'on'],
  ['auto_explain.log_timing', 'off'],
  ['auto_explain.log_nested_statements', 'on'],
  ['auto_explain.log_parameter_max_length', '0'],
  ['auto_explain.log_format', 'json'],
  ['client_min_messages', 'log'],
  ['plan_cache_mode', 'force_generic_plan'],
] as const

export const planNodes = (plan: PlanNode): readonly PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(planNodes)]

export const pagesOf = (plan: PlanNode): number => plan['Shared Hit Blocks'] + plan['Shared Read Blocks']

/** Rows that were read and thrown away. */
export const rowsRemoved = (plan: PlanNode): number =>
  planNodes(plan)
    .map((node) => (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0))
    .reduce((sum, rows) => sum + rows, 0)
