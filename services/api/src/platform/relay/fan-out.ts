import type { Transaction } from '../database.ts'
import type { PublishedEvent } from '../event-chain.ts'
import type { EventType } from '../ledger.ts'

/** An event as it was numbered; the personal part stays in the ledger. */
export interface NumberedEvent extends PublishedEvent {
  readonly organizationId: string
  readonly type: EventType
  readonly traceparent: string | null
}

/** What a fan-out has sent of its part. */
export interface Written {
  readonly statements: readonly Promise<unknown>[]
  /** Called when they are committed. */
  readonly committed?: () => void
}

/** Sends its statements, or throws, at once: COMMIT is sent behind them. */
export type Write = (events: readonly NumberedEvent[]) => Written

/** Someone who has to hear of every event, in order and exactly once. */
export interface FanOut {
  readonly name: string
  /**
   * Joins a batch, in the relay's transaction and as purser_relay: reads who has to hear of these organizations, and
   * returns what writes their part of the events, which commits with the numbers.
   */
  join(db: Transaction, organizationIds: readonly string[]): Promise<Write>
}
