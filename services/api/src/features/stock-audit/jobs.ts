import { Type } from '@sinclair/typebox'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { recordMismatch } from './record-mismatch.ts'
import { selectMismatches } from './repository.ts'

/** Enough to see what is wrong; a fault that touches more shows in the next run as well. */
const mostReported = 100

/**
 * Compares levels, movements and reservations. What differs is logged and recorded level by level, and raises one alert
 * for each organization; repairing it is for people.
 */
export const verifyStock = defineJob({
  name: 'stock.verify',
  payload: Type.Object({}),
  schedule: '7 * * * *',
  async run({ sweep, tenant, log, alerts }) {
    const mismatches = await sweep((db) => selectMismatches(db, mostReported))
    for (const mismatch of mismatches) {
      const { organization_id: organizationId, ...counts } = mismatch
      log.error({ organizationId, ...counts }, 'a level does not add up')
      await tenant(organizationId).write(async (work) => recordMismatch(work, mismatch))
    }
    const levels = new Map<string, number>()
    for (const { organization_id: id } of mismatches) levels.set(id, (levels.get(id) ?? 0) + 1)
    for (const [organizationId, count] of levels)
      alerts.raise({ alert: 'stock.mismatch', message: 'stock does not add up', organizationId, levels: count })
    if (mismatches.length === 0) log.info('stock adds up')
  },
})

export const stockAuditJobs: readonly AnyJob[] = [verifyStock]
