import { isDeepStrictEqual } from 'node:util'
import { digestPersonal, eventHash } from '#platform/event-chain.ts'
import { type EventRow, eventOf } from '#platform/event-row.ts'

/** An event and the ledger row it stands for, as the database has them now; the row is null when it is gone. */
export interface StoredEvent {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly resource_type: string
  readonly resource_id: string
  readonly actor_id: string
  readonly occurred_at: Date
  readonly personal_digest: Buffer | null
  readonly hash: Buffer
  readonly content: StoredContent | null
}

export interface StoredContent extends EventRow {
  readonly personal: unknown
  readonly personal_salt: Buffer | null
}

/** A place of the chain and its hash. */
export interface Link {
  readonly sequence: number
  readonly hash: string
}

export const problemKinds = [
  'missing',
  'misplaced',
  'altered',
  'unnumbered',
  'headDiffers',
  'checkpointDiffers',
  'checkpointInvalid',
  'checkpointMissing',
] as const

/** Something that is not as it was recorded, and where it is first seen. */
export interface Finding {
  readonly position: number
  readonly kind: (typeof problemKinds)[number]
  readonly detail: string
}

/** What is wrong with an event as the one that follows `before`; null: nothing. */
export function checkEvent(event: StoredEvent, before: Link, organizationId: string): Finding | null {
  const position = before.sequence + 1
  const found = (kind: Finding['kind'], detail: string): Finding => ({ position, kind, detail })
  const { sequence, content } = event
  if (sequence > position) return found('missing', `the next event that is there has the position ${sequence}`)
  // Ordered by position, one that comes late has a position that was taken.
  if (sequence < position)
    return { position: sequence, kind: 'misplaced', detail: `more than one event has the position ${sequence}` }
  if (content === null) return found('missing', `the ledger row ${event.id} is gone`)
  const differing = differingColumn(event, content)
  if (differing !== null) return found('altered', `${differing} of the event is not that of its ledger row`)
  if (!isPersonalWhole(event, content)) return found('altered', 'the personal part does not have its digest')
  return hashOf(event, content, before, organizationId) === event.hash.toString('hex')
    ? null
    : found('altered', 'the event does not have the hash it was recorded with')
}

function differingColumn(event: StoredEvent, content: StoredContent): string | null {
  const { type, resource_type, resource_id, occurred_at, actor_id } = event
  const kept = { type, resource_type, resource_id, occurred_at: occurred_at.getTime() }
  const recorded = { ...content, occurred_at: content.occurred_at.getTime() }
  const name = (Object.keys(kept) as (keyof typeof kept)[]).find((column) => kept[column] !== recorded[column])
  if (name !== undefined) return name
  const { id, keyId, type: kind } = content.actor
  // The hash covers these three; a fourth would be shown to somebody without being covered.
  return actor_id === id && isDeepStrictEqual(content.actor, { id, keyId, type: kind }) ? null : 'actor'
}

/** A personal part that was erased, with its salt, leaves its digest behind. */
function isPersonalWhole({ personal_digest }: StoredEvent, { personal, personal_salt }: StoredContent): boolean {
  if (personal === null && personal_salt === null) return true
  return personal_salt !== null && personal_digest?.toString('hex') === digestPersonal(personal, personal_salt)
}

function hashOf(event: StoredEvent, content: StoredContent, before: Link, organizationId: string): string {
  return eventHash({ ...chainedEvent(event, content), organizationId, previousHash: before.hash })
}

/** What the hash covers, but for the organization and the event before: these an export names once. */
export const chainedEvent = ({ sequence, id, personal_digest }: StoredEvent, content: StoredContent) => ({
  ...eventOf({ ...content, id }, sequence),
  personalDigest: personal_digest?.toString('hex') ?? null,
})
