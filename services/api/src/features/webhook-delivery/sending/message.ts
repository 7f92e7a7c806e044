import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Content } from './contents.ts'

export interface Message extends Content {
  /** The id of the event: the same for every attempt, retry and replay. */
  readonly id: string
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
