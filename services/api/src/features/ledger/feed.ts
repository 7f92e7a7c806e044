import type { PublishedEvent } from '#platform/event-chain.ts'
import { type EventFilter, passes } from './filter.ts'
import { eventJson } from './present.ts'
import type { EventBatch } from './repository.ts'

/** Who reads a stream. */
export interface StreamReader {
  /** Everything up to here was sent, or is not for this reader. */
  position: number
  readonly isOpen: boolean
  /** Whether so much waits for it that it has to catch up by itself. */
  readonly isFull: boolean
  /** Sends bytes that end at a position. */
  send(frame: Buffer, position: number): void
  /** Resolves when there is room for more, or nobody reads any more. */
  drained(): Promise<void>
  whenClosed(done: () => void): void
  end(): void
}

export interface Follower {
  readonly reader: StreamReader
  readonly filter: EventFilter
}

/** Events after a position, in their order, of all kinds. */
export type ReadAfter = (position: number) => Promise<EventBatch>

export interface FeedEvents {
  /** Reading failed; it is tried again. */
  failed(error: unknown): void
  /** Somebody does not keep up, and no longer follows. */
  lagging(follower: Follower): void
}

const retryMs = 500

/** The live end of one organization's sequence: a batch is read once, for all who have come this far. */
export class Feed {
  /** Everything up to here has been handed on. */
  position: number
  readonly followers = new Set<Follower>()
  readonly #read: ReadAfter
  readonly #events: FeedEvents
  #head = 0
  #isReading = false

  constructor(position: number, read: ReadAfter, events: FeedEvents) {
    this.position = position
    this.#read = read
    this.#events = events
  }

  /** The sequence has come to `head`. */
  advance(head: number): void {
    this.#head = Math.max(this.#head, head)
    if (this.#isReading) return
    this.#isReading = true
    this.#catchUp().then(
      () => {
        this.#isReading = false
        // Told between the last look and now.
        if (this.position < this.#head) this.advance(0)
      },
      (error: unknown) => {
        this.#isReading = false
        this.#events.failed(error)
        setTimeout(() => this.advance(0), retryMs).unref()
      },
    )
  }

  async #catchUp(): Promise<void> {
    while (this.position < this.#head) {
      const { events } = await this.#read(this.position)
      const [first] = events
      // Retention has overtaken it. Whoever comes back is told so.
      if (first?.sequence !== this.position + 1) return this.#endAll()
      for (const event of events) this.#handOn(event)
    }
  }

  #handOn(event: PublishedEvent): void {
    let frame: Buffer | undefined
    for (const follower of this.followers) {
      const { reader, filter } = follower
      if (event.sequence <= reader.position) continue
      if (reader.isFull) {
        this.followers.delete(follower)
        this.#events.lagging(follower)
      } else if (passes(filter, event)) {
        frame ??= frameOf(event)
        reader.send(frame, event.sequence)
      } else reader.position = event.sequence
    }
    this.position = event.sequence
  }

  #endAll(): void {
    for (const { reader } of this.followers) reader.end()
    this.position = this.#head
  }
}

/** The same bytes for every reader. */
export const frameOf = (event: PublishedEvent): Buffer =>
  Buffer.from(`id: ${event.sequence}\nevent: ${event.type}\ndata: ${eventJson(event)}\n\n`)
