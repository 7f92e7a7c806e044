import { createHash, hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** What readers see of an event. */
export interface PublishedEvent {
  readonly id: string
  /** Gap-free from 1 in each organization. */
  readonly sequence: number
  readonly type: string
  readonly schemaVersion: number
  /** RFC 3339 in UTC with milliseconds. */
  readonly occurredAt: string
  readonly actor: EventActor
  readonly requestId: string
  readonly resource: EventResource
  readonly changed: readonly string[]
  /** The resource as the ledger keeps it: without personal fields. */
  readonly data: unknown
}

/** What the hash of an event covers: everything readers see, the digest of the personal part and the event before. */
export interface ChainedEvent extends PublishedEvent {
  readonly organizationId: string
  /** Hex; null when the event has no personal part. */
  readonly personalDigest: string | null
  /** Hex; `noHash` for the first event of an organization. */
  readonly previousHash: string
}

export interface EventActor {
  readonly type: string
  readonly id: string
  readonly keyId: string | null
}

export interface EventResource {
  readonly type: string
  readonly id: string
  readonly version: number
}

/** What stands in place of the hash before the first one. */
export const noHash = '0'.repeat(64)

/** The one spelling of an event: JSON by RFC 8785, whatever order and spacing its parts were stored in. */
export function canonicalEvent(event: ChainedEvent): string {
  const { actor, changed, data, id, occurredAt, organizationId, personalDigest, previousHash } = event
  const { requestId, resource, schemaVersion, sequence, type } = event
  return canonicalJson({
    actor: { id: actor.id, keyId: actor.keyId, type: actor.type },
    changed,
    data,
    id,
    occurredAt,
    organizationId,
    personalDigest,
    previousHash,
    requestId,
    resource: { id: resource.id, type: resource.type, version: resource.version },
    schemaVersion,
    sequence,
    type,
  })
}

/** SHA-256 of the canonical event in hex. */
export const eventHash = (event: ChainedEvent): string => hash('sha256', canonicalEvent(event))

/** SHA-256 of the salt and the canonical personal part in hex: what remains when both are erased. */
export const digestPersonal = (personal: unknown, salt: Uint8Array): string =>
  createHash('sha256').update(salt).update(canonicalJson(personal)).digest('hex')
