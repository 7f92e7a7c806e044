import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import {
  type DeliveryRow,
  type EndpointRow,
  type EventRange,
  type EventRow,
  insertDeliveries,
  insertDelivery,
  newDelivery,
  renewDeliveries,
  selectDelivery,
  selectEvents,
} from './repository.ts'
import { hearsOf } from './subscription.ts'

/**
 * Sends an event that exists for this endpoint alone and is in no list: `webhook.test`. It is sent whatever the state of
 * the endpoint; when it arrives at one that is failing, that one has recovered.
 */
export async function sendTest(work: Work, endpoint: Pick<EndpointRow, 'id' | 'version'>): Promise<DeliveryRow> {
  const event = {
    id: newId('evt'),
    sequence: 0,
    type: 'webhook.test',
    schemaVersion: 1,
    occurredAt: work.now.toISOString(),
    actor: { type: work.actor.type, id: work.actor.principalId, keyId: work.actor.keyId },
    requestId: work.requestId,
    resource: { type: 'webhookEndpoint', id: endpoint.id, version: endpoint.version },
    changed: [],
    data: { endpointId: endpoint.id },
  }
  const about = { endpoint_id: endpoint.id, event_id: event.id, event_type: event.type, resource_id: endpoint.id }
  // Tried once: whoever asked is looking at the outcome.
  const row = newDelivery(work, { ...about, sequence: 0 }, { payload: JSON.stringify(event), attempts_left: 1 })
  await insertDelivery(work, row)
  return row
}

/** Sends the event of a delivery to the same endpoint once more, as a delivery of its own; undefined: no such delivery. */
export async function replayDelivery(work: Work, deliveryId: string): Promise<DeliveryRow | undefined> {
  const original = await selectDelivery(work, deliveryId)
  if (!original) return undefined
  const row = newDelivery(work, original, { replay_of: original.replay_of ?? original.id, payload: original.payload })
  await insertDelivery(work, row)
  return row
}

/** What a replay did: `lastSequence` is where the next one goes on, null when the range is done. */
export interface Replayed {
  readonly deliveries: number
  readonly lastSequence: number | null
}

/** Sends every event of a range the endpoint hears of, whether it had arrived or not; `limit` events are looked at. */
export const replayEvents = (work: Work, endpoint: EndpointRow, range: EventRange): Promise<Replayed> =>
  replayRange(work, endpoint, range, () => true)

/** Sends the events of a range that have not arrived and are not on their way. */
export const replayMissing = (work: Work, endpoint: EndpointRow, range: EventRange): Promise<Replayed> =>
  replayRange(work, endpoint, range, ({ arrived, delivery_state }) => {
    return !arrived && delivery_state !== 'pending' && delivery_state !== 'sending'
  })

async function replayRange(
  work: Work,
  endpoint: EndpointRow,
  range: EventRange,
  isWanted: (event: EventRow) => boolean,
): Promise<Replayed> {
  const events = await selectEvents(work, endpoint.id, range)
  const hears = hearsOf(endpoint)
  const wanted = events.filter(
    (event) =>
      isWanted(event) &&
      hears({
        type: event.type,
        resourceType: event.resource_type,
        source: event.source,
        aboutEndpointId: event.about_endpoint_id,
      }),
  )
  const ended = wanted.filter(({ delivery_state }) => delivery_state === 'dead' || delivery_state === 'cancelled')
  const others = wanted.filter((event) => !ended.includes(event))
  await renewDeliveries(
    work,
    ended.map(({ delivery_id }) => String(delivery_id)),
  )
  await insertDeliveries(
    work,
    others.map((event) =>
      newDelivery(work, { ...keysOf(event), endpoint_id: endpoint.id }, { replay_of: event.delivery_id }),
    ),
  )
  const isFull = events.length === range.limit
  return { deliveries: wanted.length, lastSequence: isFull ? (events.at(-1)?.sequence ?? null) : null }
}

const keysOf = ({ id, type, sequence, resource_id }: EventRow) => ({
  event_id: id,
  event_type: type,
  sequence,
  resource_id,
})
