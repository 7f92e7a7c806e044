import type pg from 'pg'

/** One line per table: its rows, and a checksum of all of them that forgets only when a key was last used. */
export type DatabaseState = Readonly<Record<string, string>>

/** Equal states mean: no row was added, changed or taken away in any table, jobs included. */
export async function databaseState(db: pg.Pool): Promise<DatabaseState> {
  const { rows: tables } = await db.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname = 'public' or (schemaname = 'pgboss' and tablename like 'job%') order by 1`,
  )
  const counts = tables.map(
    ({ name }) => `select '${name}' as name,
      count(*) || ' ' || coalesce(sum(hashtextextended((to_jsonb(t) - 'last_used_at')::text, 0)), 0) as state
      from ${name} t`,
  )
  const { rows } = await db.query<{ name: string; state: string }>(counts.join(' union all '))
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]))
}
