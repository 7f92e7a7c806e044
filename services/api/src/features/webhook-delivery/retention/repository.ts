import { sql } from 'kysely'
import type { Transaction } from '#platform/database.ts'

const monthsAhead = 3

/** Makes the partitions of attempts that are next and drops those that ended by `before`; returns the dropped ones. */
export async function rollAttempts(db: Transaction, before: Date): Promise<readonly string[]> {
  await sql`select ensure_time_partitions('webhook_attempts', 'wat', ${monthsAhead})`.execute(db)
  const { rows } = await sql<{ dropped: string[] }>`
    select drop_time_partitions('webhook_attempts', ${before}) as dropped`.execute(db)
  return rows[0]?.dropped ?? []
}

/** Deletes deliveries made before then, whatever became of them, but for those on their way. Returns how many. */
export async function deleteDeliveries(db: Transaction, before: Date, limit: number): Promise<number> {
  const result = await sql`delete from webhook_deliveries where ctid = any(array(
    select ctid from webhook_deliveries where created_at < ${before} and state <> 'sending' limit ${limit}))`.execute(
    db,
  )
  return Number(result.numAffectedRows ?? 0)
}

/** Deletes secrets that stopped signing before then. Returns how many. */
export async function deleteSecrets(db: Transaction, before: Date): Promise<number> {
  const result = await sql`delete from webhook_secrets where expires_at < ${before}`.execute(db)
  return Number(result.numAffectedRows ?? 0)
}
