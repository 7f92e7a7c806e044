import { Type } from '@sinclair/typebox'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { Id, Sku } from '#platform/wire.ts'
import { fillLevel } from './fill-backorders.ts'
import { selectFreedLevels } from './repository.ts'

const batchSize = 500

/** Fills backorders at one level, transaction by transaction, until nothing more can be given. */
export const fillLevelJob = defineJob({
  name: 'backorders.fillLevel',
  payload: Type.Object({ organizationId: Id('org'), sku: Sku, locationId: Id('loc') }, { additionalProperties: false }),
  key: ({ sku, locationId }) => `${locationId} ${sku}`,
  async run({ tenant, signal }, { organizationId, sku, locationId }) {
    let filled = true
    while (filled && !signal.aborted)
      ({ filled } = await tenant(organizationId).write((work) => fillLevel(work, { sku, location_id: locationId })))
  },
})

/**
 * Finds stock that became free while orders wait for it: given back by a cancelled order, or left when a receipt met
 * orders that were being changed. Each level is left to a job of its own.
 */
export const fillFreed = defineJob({
  name: 'backorders.fillFreed',
  payload: Type.Object({}),
  schedule: '* * * * *',
  async run({ sweep, tenant, log }) {
    const levels = await sweep((db) => selectFreedLevels(db, batchSize))
    for (const { organization_id: organizationId, sku, location_id: locationId } of levels)
      await tenant(organizationId).write((work) => work.enqueue(fillLevelJob, { organizationId, sku, locationId }))
    if (levels.length > 0) log.info({ levels: levels.length }, 'orders wait for stock that became free')
  },
})

export const backorderJobs: readonly AnyJob[] = [fillFreed, fillLevelJob]
