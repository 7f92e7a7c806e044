import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
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

/** Headers of the Standard Webhooks specification, signed with every key; `at` is the time of the attempt. */
export function headersOf({ id, body, traceparent }: Message, keys: readonly KeyObject[], at: Date) {
  const timestamp = String(Math.floor(at.getTime() / 1_000))
  return {
    'content-type': 'application/json',
    'user-agent': 'purser-webhooks',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => `v1,${signature(key, `${id}.${timestamp}.${body}`)}`).join(' '),
    ...(traceparent === null ? {} : { traceparent }),
  }
}

/** A secret is `whsec_` and the key in base64. */
export const signingKey = (secret: string): KeyObject =>
  createSecretKey(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))

const signature = (key: KeyObject, content: string): string =>
  createHmac('sha256', key).update(content).digest('base64')
