import { createHmac } from 'node:crypto'
import { eventJson } from '#features/ledger/index.ts'
import { eventOf } from '#platform/event-row.ts'
import type { ContentRow } from './repository.ts'

/** Larger bodies are refused by receivers more often than they are read. */
const largestBody = 20_000

/** What is sent of an event: the bytes of `GET /v1/events/{id}`, or without `data` and with a link when they are many. */
export function bodyOf(row: ContentRow): string {
  const event = eventOf(row, row.sequence)
  const json = eventJson(event)
  if (Buffer.byteLength(json) < largestBody) return json
  return JSON.stringify({ ...JSON.parse(eventJson({ ...event, data: null })), link: `/v1/events/${row.id}` })
}

export interface Message {
  /** The id of the event: the same for every attempt, retry and replay. */
  readonly id: string
  readonly body: string
  readonly traceparent: string | null
}

/** Headers of the Standard Webhooks specification, signed with every secret; `at` is the time of the attempt. */
export function headersOf({ id, body, traceparent }: Message, secrets: readonly string[], at: Date) {
  const timestamp = String(Math.floor(at.getTime() / 1_000))
  return {
    'content-type': 'application/json',
    'user-agent': 'purser-webhooks',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${signature(secret, `${id}.${timestamp}.${body}`)}`).join(' '),
    ...(traceparent === null ? {} : { traceparent }),
  }
}

/** A secret is `whsec_` and the key in base64. */
const signature = (secret: string, content: string): string =>
  createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(content)
    .digest('base64')
