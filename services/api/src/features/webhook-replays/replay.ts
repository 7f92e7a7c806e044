import { typesMatching } from '#features/ledger/index.ts'
import {
  type EndpointRow,
  type EventRange,
  lockEndpoint,
  presentDelivery,
  replayDelivery,
  replayEvents,
  replayMissing,
  revive,
  sendTest,
} from '#features/webhook-delivery/index.ts'
import { findEndpoint, lockKnown, WebhookEndpointDisabled } from '#features/webhooks/index.ts'
import type { View, Work } from '#platform/work.ts'
import { WebhookDeliveryNotFound, WebhookEndpointDeleted } from './problems.ts'
import { selectFloor, selectKnownDelivery, selectSequence } from './repository.ts'
import {
  mostReplayed,
  type ReplayWebhooks,
  type WebhookDelivery,
  type WebhookRedrive,
  type WebhookReplay,
} from './schemas.ts'

/** Sends an event made for the purpose to one endpoint, in whatever state that is. */
export async function testEndpoint(work: Work, endpointId: string): Promise<WebhookDelivery> {
  return presentDelivery(await sendTest(work, await findEndpoint(work, endpointId)))
}

/** Sends the event of a delivery once more. */
export async function repeatDelivery(work: Work, deliveryId: string): Promise<WebhookDelivery> {
  const original = await selectKnownDelivery(work, deliveryId)
  if (!original) throw new WebhookDeliveryNotFound()
  const endpoint = await lockEndpoint(work, original.endpoint_id)
  if (!endpoint) throw new WebhookEndpointDeleted()
  refuseDisabled(endpoint)
  const repeated = await replayDelivery(work, deliveryId)
  if (!repeated) throw new WebhookDeliveryNotFound()
  return presentDelivery(repeated)
}

/** Sends events of the past: one, those of a range, or what of it has not arrived. */
export async function replayRange(work: Work, endpointId: string, input: ReplayWebhooks): Promise<WebhookReplay> {
  const endpoint = await lockKnown(work, endpointId)
  refuseDisabled(endpoint)
  const [floorSequence, range] = await Promise.all([selectFloor(work), rangeOf(work, input)])
  if (range === null) return { deliveries: 0, lastSequence: null, floorSequence }
  const replay = input.onlyMissing ? replayMissing : replayEvents
  return { ...(await replay(work, endpoint, range)), floorSequence }
}

/** Sends again all that is dead, in the order of events; what is more than one transaction should change follows. */
export async function redriveEndpoint(work: Work, endpointId: string): Promise<WebhookRedrive> {
  const endpoint = await lockKnown(work, endpointId)
  refuseDisabled(endpoint)
  return revive(work, endpoint.id)
}

function refuseDisabled({ state, disabled_reason }: EndpointRow): void {
  if (state === 'disabled')
    throw new WebhookEndpointDisabled({ detail: `The endpoint is disabled: ${disabled_reason}` })
}

/** Null: an event that there is not. */
async function rangeOf(view: View, input: ReplayWebhooks): Promise<EventRange | null> {
  const { afterSequence = 0, upToSequence = Number.MAX_SAFE_INTEGER, eventId, resourceId = null, types } = input
  const matching = typesMatching(types)
  const rest = { types: matching === null ? null : [...matching], resourceId, limit: mostReplayed }
  if (eventId === undefined) return { after: afterSequence, upTo: upToSequence, ...rest }
  const sequence = await selectSequence(view, eventId)
  if (sequence === undefined) return null
  return { after: Math.max(afterSequence, sequence - 1), upTo: Math.min(upToSequence, sequence), ...rest }
}
