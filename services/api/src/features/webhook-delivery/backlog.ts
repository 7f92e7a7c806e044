import { Type } from '@sinclair/typebox'
import { defineJob } from '#platform/jobs.ts'
import { closed, Id } from '#platform/wire.ts'
import type { Work } from '#platform/work.ts'
import { batchSize, cancelDeliveries, lockEndpoint, reviveDeliveries } from './repository.ts'

const Backlog = Type.Object({ organizationId: Id('org'), endpointId: Id('whe') }, closed)

/** How many deliveries were changed, and whether a job goes on with more. */
interface Changed {
  readonly deliveries: number
  readonly hasMore: boolean
}

/** Undefined: the endpoint was deleted. */
const isOn = (state: string | undefined): boolean => state !== undefined && state !== 'disabled'

/** Makes due at once what is dead and what waits for a later attempt, in the order of events. */
export const { begin: revive, rest: reviveRest } = changeOf('webhooks.reviveRest', reviveDeliveries, isOn)

/** For an endpoint that is switched off: nothing of what waits is sent. */
export const { begin: cancelOpen, rest: cancelRest } = changeOf(
  'webhooks.cancelRest',
  cancelDeliveries,
  (state) => !isOn(state),
)

/**
 * A change of all that waits for an endpoint: `begin` makes the first batch, and the job `rest` goes on, each batch in a
 * transaction of its own, for as long as the state of the endpoint is what the change is for.
 */
function changeOf(
  name: string,
  changeBatch: (work: Work, endpointId: string) => Promise<number>,
  isFor: (state: string | undefined) => boolean,
) {
  const rest = defineJob({
    name,
    payload: Backlog,
    key: ({ endpointId }) => endpointId,
    async run({ tenant, signal }, { organizationId, endpointId }) {
      const goOn = async (work: Work): Promise<number> => {
        const endpoint = await lockEndpoint(work, endpointId)
        return isFor(endpoint?.state) ? changeBatch(work, endpointId) : 0
      }
      while ((await tenant(organizationId).write(goOn)) === batchSize) signal.throwIfAborted()
    },
  })
  async function begin(work: Work, endpointId: string): Promise<Changed> {
    const deliveries = await changeBatch(work, endpointId)
    const hasMore = deliveries === batchSize
    if (hasMore) await work.enqueue(rest, { organizationId: work.actor.organizationId, endpointId })
    return { deliveries, hasMore }
  }
  return { begin, rest }
}
