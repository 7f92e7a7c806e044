import { canonicalJson, sha256 } from './canonical.ts'

/** What precedes the first event of an organization. */
export const noHash = '0'.repeat(64)

/** The members of an event that its hash covers, beside `organizationId` and `previousHash`. */
const members = [
  'actor',
  'changed',
  'data',
  'id',
  'occurredAt',
  'personalDigest',
  'requestId',
  'resource',
  'schemaVersion',
  'sequence',
  'type',
] as const

export type ChainedEvent = Readonly<Record<(typeof members)[number], unknown>>

/** SHA-256 over the canonical event, which names the hash of the event before it. */
export function eventHash(event: ChainedEvent, organizationId: string, previousHash: string): Promise<string> {
  const covered = Object.fromEntries(members.map((name) => [name, event[name]]))
  return sha256(canonicalJson({ ...covered, organizationId, previousHash }))
}
