import { Type } from '@sinclair/typebox'
import { sql } from 'kysely'
import { keepEventPartitions } from './event-retention.ts'
import { type AnyJob, defineJob } from './jobs.ts'

const batchSize = 5_000

/** Deletes idempotency keys past their time to live, in batches short enough to disturb nobody. */
export const forgetIdempotencyKeys = defineJob({
  name: 'idempotency.forgetOld',
  payload: Type.Object({}),
  schedule: '*/10 * * * *',
  async run({ sweep, config, now, signal, log }) {
    const oldest = new Date(now.getTime() - config.IDEMPOTENCY_TTL_HOURS * 3_600_000)
    let deleted = 0
    for (let last = batchSize; last === batchSize && !signal.aborted; deleted += last) {
      const result = await sweep((db) =>
        sql`delete from idempotency_keys where ctid = any(array(
          select ctid from idempotency_keys where created_at < ${oldest} limit ${batchSize}))`.execute(db),
      )
      last = Number(result.numAffectedRows ?? 0)
    }
    log.info({ deleted }, 'old idempotency keys forgotten')
  },
})

export const kernelJobs: readonly AnyJob[] = [forgetIdempotencyKeys, keepEventPartitions]
