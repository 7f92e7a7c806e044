import { LRUCache } from 'lru-cache'
import { eventJson } from '#features/ledger/index.ts'
import type { PublishedEvent } from '#platform/event-chain.ts'
import type { NumberedEvent } from '#platform/relay/fan-out.ts'

/** What is sent of an event, and the trace that it belongs to. */
export interface Content {
  readonly body: string
  readonly traceparent: string | null
}

/**
 * What was numbered in this process a moment ago: where the relay leads, most deliveries need not read their event
 * again. An event never changes, so what is kept of it cannot be out of date.
 */
export interface RecentContents {
  /** Keeps a committed event for one more delivery. */
  keep(event: NumberedEvent): void
  /** For one delivery; undefined: it has to be read. */
  take(organizationId: string, eventId: string): Content | undefined
}

/** Events of deliveries that have to wait are read when their time comes. */
const mostKept = 500

export function createRecentContents(): RecentContents {
  const kept = new LRUCache<string, Content & { deliveries: number }>({ max: mostKept })
  return {
    keep(event) {
      const key = keyOf(event.organizationId, event.id)
      const known = kept.get(key)
      if (known) known.deliveries++
      else kept.set(key, { body: bodyOf(event), traceparent: event.traceparent, deliveries: 1 })
    },
    take(organizationId, eventId) {
      const key = keyOf(organizationId, eventId)
      const content = kept.get(key)
      if (content && --content.deliveries === 0) kept.delete(key)
      return content
    },
  }
}

const keyOf = (organizationId: string, eventId: string): string => `${organizationId}/${eventId}`

/** Larger bodies are refused by receivers more often than they are read. */
const largestBody = 20_000

/** What is sent of an event: the bytes of `GET /v1/events/{id}`, or without `data` and with a link when they are many. */
export function bodyOf(event: PublishedEvent): string {
  const json = eventJson(event)
  if (Buffer.byteLength(json) < largestBody) return json
  return JSON.stringify({ ...JSON.parse(eventJson({ ...event, data: null })), link: `/v1/events/${event.id}` })
}
