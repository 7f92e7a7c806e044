import type { Transaction } from '../database.ts'
import type { PublishedEvent } from '../event-chain.ts'
import type { EventType } from '../ledger.ts'

/** An event as it was numbered; the personal part stays in the ledger. */
export interface NumberedEvent extends PublishedEvent {
  readonly organizationId: string
  readonly type: EventType
  readonly traceparent: string | null
}

/** Someone who has to hear of every event, in order and exactly once. */
export interface FanOut {
  readonly name: string
  /** Runs in the relay's transaction, as purser_relay, once per batch: what it writes commits with the numbers. */
  run(db: Transaction, events: readonly NumberedEvent[]): Promise<void>
}
