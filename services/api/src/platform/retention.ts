import { Type } from '@sinclair/typebox'
import { sql } from 'kysely'
import type { Transaction } from './database.ts'
import { deleteInBatches } from './delete-batches.ts'
import { keepEventPartitions } from './event-retention.ts'
import { type AnyJob, defineJob } from './jobs.ts'

const batchSize = 5_000

/** Deletes idempotency keys past their time to live, in batches short enough to disturb nobody. */
export const forgetIdempotencyKeys = defineJob({
  name: 'idempotency.forgetOld',
  payload: Type.Object({}),
  schedule: '*/10 * * * *',
  async run(context) {
    const oldest = new Date(context.now.getTime() - context.config.IDEMPOTENCY_TTL_HOURS * 3_600_000)
    const deleted = await deleteInBatches(context, batchSize, (db, limit) => deleteKeys(db, oldest, limit))
    context.log.info({ deleted }, 'old idempotency keys forgotten')
  },
})

async function deleteKeys(db: Transaction, before: Date, limit: number): Promise<number> {
  const result = await sql`delete from idempotency_keys where ctid = any(array(
    select ctid from idempotency_keys where created_at < ${before} limit ${limit}))`.execute(db)
  return Number(result.numAffectedRows ?? 0)
}

export const kernelJobs: readonly AnyJob[] = [forgetIdempotencyKeys, keepEventPartitions]
