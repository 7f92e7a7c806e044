import { Type } from '@sinclair/typebox'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { markLevel } from './mark-level.ts'
import { selectUnmarked } from './repository.ts'

const batchSize = 500

/**
 * Looks for levels that crossed a threshold since the last run. It is done here rather than with each order, which
 * then has one thing less to wait for; what crosses back within a minute is not told.
 */
export const markStock = defineJob({
  name: 'stock.mark',
  payload: Type.Object({}),
  schedule: '* * * * *',
  async run({ sweep, tenant, signal }) {
    const levels = await sweep((db) => selectUnmarked(db, batchSize))
    for (const { organization_id: organizationId, ...key } of levels)
      if (!signal.aborted) await tenant(organizationId).write((work) => markLevel(work, key))
  },
})

export const stockMarkJobs: readonly AnyJob[] = [markStock]
