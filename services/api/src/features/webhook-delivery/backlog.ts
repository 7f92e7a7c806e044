import { Type } from '@sinclair/typebox'
import { defineJob, type Job, type JobContext } from '#platform/jobs.ts'
import type { Work } from '#platform/work.ts'
import { batchSize, cancelDeliveries, lockEndpoint, reviveDeliveries } from './repository.ts'

const payload = Type.Object({ organizationId: Type.String(), endpointId: Type.String() })

interface Backlog {
  readonly organizationId: string
  readonly endpointId: string
}

/** How many deliveries were changed, and whether a job goes on with more. */
interface Changed {
  readonly deliveries: number
  readonly hasMore: boolean
}

/** Makes due at once what is dead and what waits for a later attempt, in the order of events. */
export const revive = (work: Work, endpointId: string): Promise<Changed> =>
  begin(work, endpointId, reviveDeliveries, reviveRest)

/** For an endpoint that is switched off: nothing of what waits is sent. */
export const cancelOpen = (work: Work, endpointId: string): Promise<Changed> =>
  begin(work, endpointId, cancelDeliveries, cancelRest)

/** Returns how many it found: `batchSize`, and there may be more. */
type ChangeBatch = (work: Work, endpointId: string) => Promise<number>

async function begin(work: Work, endpointId: string, change: ChangeBatch, rest: Job<Backlog>): Promise<Changed> {
  const deliveries = await change(work, endpointId)
  const hasMore = deliveries === batchSize
  if (hasMore) await work.enqueue(rest, { organizationId: work.actor.organizationId, endpointId })
  return { deliveries, hasMore }
}

export const reviveRest = defineJob({
  name: 'webhooks.reviveRest',
  payload,
  key: ({ endpointId }) => endpointId,
  run: (context, backlog) => inBatches(context, backlog, reviveDeliveries, isOn),
})

export const cancelRest = defineJob({
  name: 'webhooks.cancelRest',
  payload,
  key: ({ endpointId }) => endpointId,
  run: (context, backlog) => inBatches(context, backlog, cancelDeliveries, (state) => !isOn(state)),
})

/** Undefined: the endpoint was deleted. */
const isOn = (state: string | undefined): boolean => state !== undefined && state !== 'disabled'

/** Goes on, each batch in a transaction of its own, for as long as the endpoint is what it was begun for. */
async function inBatches(
  { tenant, signal }: JobContext,
  { organizationId, endpointId }: Backlog,
  change: ChangeBatch,
  isWanted: (state: string | undefined) => boolean,
): Promise<void> {
  const changeNext = async (work: Work): Promise<number> => {
    const endpoint = await lockEndpoint(work, endpointId)
    return isWanted(endpoint?.state) ? change(work, endpointId) : 0
  }
  while ((await tenant(organizationId).write(changeNext)) === batchSize) signal.throwIfAborted()
}
