import type { EventActor, PublishedEvent } from './event-chain.ts'

/** What readers see of an event, as its ledger row has it. */
export interface EventRow {
  readonly type: string
  readonly schema_version: number
  readonly occurred_at: Date
  readonly actor: EventActor
  readonly request_id: string
  readonly resource_type: string
  readonly resource_id: string
  readonly resource_version: number
  readonly changed: readonly string[]
  readonly data: unknown
}

export const eventColumns = [
  'type',
  'schema_version',
  'occurred_at',
  'actor',
  'request_id',
  'resource_type',
  'resource_id',
  'resource_version',
  'changed',
  'data',
] as const satisfies readonly (keyof EventRow)[]

/** The same as SQL, of the ledger row with this alias. */
export const eventColumnsOf = (alias: string): string => eventColumns.map((name) => `${alias}.${name}`).join(', ')

/** The event of a ledger row, at its place in the sequence. */
export const eventOf = (row: EventRow & { readonly id: string }, sequence: number): PublishedEvent => ({
  id: row.id,
  sequence,
  type: row.type,
  schemaVersion: row.schema_version,
  occurredAt: row.occurred_at.toISOString(),
  actor: row.actor,
  requestId: row.request_id,
  resource: { type: row.resource_type, id: row.resource_id, version: row.resource_version },
  changed: row.changed,
  data: row.data,
})
