import { type ChainedEvent, digestPersonal, eventHash, noHash } from '../event-chain.ts'
import { eventOf } from '../event-row.ts'
import type { EventType } from '../ledger.ts'
import type { NumberedEvent } from './fan-out.ts'
import type { Head, LedgerRow } from './rows.ts'

/** An event with its place in the chain of its organization. */
export interface ChainLink {
  readonly event: NumberedEvent
  readonly personalDigest: string | null
  readonly hash: string
}

/** Gives each row the next number of its organization and chains it to the event before; `heads` are those so far. */
export function numberRows(rows: readonly LedgerRow[], heads: readonly Head[]) {
  const newest = new Map(heads.map((head) => [head.organizationId, head]))
  const links = rows.map((row): ChainLink => {
    const before = newest.get(row.organization_id)
    const event = numbered(row, (before?.sequence ?? 0) + 1)
    const personalDigest = row.personal_salt === null ? null : digestPersonal(row.personal, row.personal_salt)
    const hash = eventHash({ ...event, personalDigest, previousHash: before?.hash ?? noHash } satisfies ChainedEvent)
    newest.set(event.organizationId, { organizationId: event.organizationId, sequence: event.sequence, hash })
    return { event, personalDigest, hash }
  })
  const changed = new Set(rows.map((row) => row.organization_id))
  return { links, heads: [...newest.values()].filter(({ organizationId }) => changed.has(organizationId)) }
}

const numbered = (row: LedgerRow, sequence: number): NumberedEvent => ({
  ...eventOf(row, sequence),
  type: row.type as EventType,
  organizationId: row.organization_id,
  traceparent: row.traceparent,
})
