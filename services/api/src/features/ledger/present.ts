/** An event with its place in the organization's sequence, as the relay and the repository hold it. */
export interface PublishedEvent {
  readonly id: string
  readonly sequence: number
  readonly type: string
  readonly schemaVersion: number
  /** RFC 3339 with milliseconds. */
  readonly occurredAt: string
  readonly actor: { readonly type: string; readonly id: string; readonly keyId: string | null }
  readonly requestId: string
  readonly resource: { readonly type: string; readonly id: string; readonly version: number }
  readonly changed: readonly string[]
  /** The resource as the ledger keeps it: without personal fields. */
  readonly data: unknown
}

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
