import { columnArrays } from './column-arrays.ts'
import { runSql, type Transaction } from './database.ts'
import { newId } from './id.ts'
import { drawRandom } from './random.ts'
import type { Origin, Work } from './work.ts'

/** Types of change the ledger knows. */
export const eventTypes = [
  'apiKey.created',
  'apiKey.rotated',
  'apiKey.revoked',
  'organization.created',
  'organization.updated',
  'location.created',
  'location.updated',
  'product.created',
  'product.updated',
  'product.archived',
  'stock.adjusted',
  'stock.low',
  'stock.out',
  'stock.back',
  'stock.shortfall',
  'stock.mismatch',
  'reservation.created',
  'reservation.released',
  'reservation.expired',
  'order.drafted',
  'order.placed',
  'order.confirmed',
  'order.updated',
  'order.lineCancelled',
  'order.holdAdded',
  'order.holdReleased',
  'order.cancelled',
  'order.expired',
  'webhook.endpointCreated',
  'webhook.endpointUpdated',
  'webhook.endpointDeleted',
  'webhook.endpointFailing',
  'webhook.endpointRecovered',
  'webhook.endpointDisabled',
  'webhook.deliveryDead',
  'job.dead',
  'job.retried',
  'job.cancelled',
  'checkpoint.signed',
  'export.completed',
] as const

export type EventType = (typeof eventTypes)[number]

/** One change of one resource. */
export interface LedgerEvent {
  readonly type: EventType
  readonly resource: { readonly type: string; readonly id: string; readonly version: number }
  /** Names of the fields that changed; empty for a new resource. */
  readonly changed?: readonly string[]
  /** The resource as the API returns it, without personal fields. */
  readonly data: unknown
  /** True: `data` holds only the fields that differ from the data of the event recorded just before. */
  readonly continues?: boolean
  /** Personal fields of the resource: kept beside `data`, salted, erasable. */
  readonly personal?: unknown
}

/** The statement that appends what several works recorded, sent but not awaited; nothing when there is nothing. */
export function appendToLedger(db: Transaction, opened: readonly RecordedWork[]): Promise<unknown>[] {
  const rows = opened.flatMap(({ work, origin, events }) => events.map((event) => ledgerRow(work, origin, event)))
  return rows.length === 0 ? [] : [runSql(db, appendText, rowArrays.parameters(rows))]
}

interface RecordedWork {
  readonly work: Work
  readonly origin: Origin
  readonly events: readonly LedgerEvent[]
}

const ledgerRow = (work: Work, { actor, requestId, traceparent }: Origin, event: LedgerEvent) => ({
  id: newId('evt'),
  type: event.type,
  occurred_at: work.now,
  actor: { type: actor.type, id: actor.principalId, keyId: actor.keyId },
  request_id: requestId,
  traceparent,
  resource_type: event.resource.type,
  resource_id: event.resource.id,
  resource_version: event.resource.version,
  changed: event.changed ?? [],
  data: event.data,
  continues: event.continues ?? false,
  personal: event.personal ?? null,
  personal_salt: event.personal === undefined ? null : `\\x${drawRandom(16).toString('hex')}`,
})

const columns = {
  id: 'token',
  type: 'token',
  occurred_at: 'timestamptz(3)',
  actor: 'jsonb',
  request_id: 'token',
  traceparent: 'token',
  resource_type: 'token',
  resource_id: 'text',
  resource_version: 'integer',
  changed: 'words',
  personal: 'jsonb',
  personal_salt: 'bytea',
} as const
const rowArrays = columnArrays({ ...columns, data: 'jsonb', continues: 'boolean' })
const names = Object.keys(columns).join(', ')
// Ids of one process sort in the order they were made.
const appendText = `insert into ledger (${names}, data)
  select ${names}, case when continues then lag(data) over (order by id) || data else data end
  from ${rowArrays.from('l', 1)}`
