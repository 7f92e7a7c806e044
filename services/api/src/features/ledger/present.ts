import type { PublishedEvent } from '#platform/event-chain.ts'

/** The event on the wire. List, stream and webhooks send these bytes and no others. */
export function eventJson(event: PublishedEvent): string {
  const { id, sequence, type, schemaVersion, occurredAt, actor, requestId, resource, changed, data } = event
  return JSON.stringify({
    id,
    sequence,
    type,
    schemaVersion,
    occurredAt,
    actor: { type: actor.type, id: actor.id, keyId: actor.keyId },
    requestId,
    resource: { type: resource.type, id: resource.id, version: resource.version },
    changed,
    data,
  })
}
