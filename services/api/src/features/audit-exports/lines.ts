import { chainedEvent, type StoredEvent } from '#features/audit/index.ts'
import { canonicalJson } from '#platform/canonical-json.ts'

/** The first line of an export: what the lines after it are held against. */
export interface ExportHeader {
  readonly organizationId: string
  readonly from: number
  readonly to: number
  /** Hash of the event before `from`. */
  readonly previousHash: string
  /** The newest checkpoint of the range; null: there is none. */
  readonly checkpoint: string | null
  readonly createdAt: string
}

/** Every line is canonical JSON (RFC 8785): it has one spelling, so that no two readers can see different things. */
const line = (value: object): string => `${canonicalJson(value)}\n`

export const headerLine = (header: ExportHeader): string =>
  line({ format: 'purser-ledger', formatVersion: 1, ...header })

/** What the hash of the event covers and the hash itself. Of personal data there is the digest. */
export function eventLine(event: StoredEvent): string {
  const { sequence, id, content } = event
  const hash = event.hash.toString('hex')
  // Without its ledger row only this is left of an event: who verifies the export is told the position.
  return line(content === null ? { sequence, id, hash } : { ...chainedEvent(event, content), hash })
}
