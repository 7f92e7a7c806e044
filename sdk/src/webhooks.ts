import { PurserError } from './errors.ts'
import type { Event } from './generated/types.ts'
import { importSecret, signatureOf } from './signature.ts'
import type { UnknownEvent } from './stream.ts'

/** A request as a framework gives it: its body as it came, never parsed. */
export interface WebhookDelivery {
  readonly body: string | ArrayBuffer | ArrayBufferView
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
}

export interface VerifyOptions {
  /** The endpoint's `whsec_…`; while it is being rotated, the current and the previous one. Unset ones are left out. */
  readonly secret: string | undefined | readonly (string | undefined)[]
  /** How far the sender's clock may be from this one; default 5 minutes. */
  readonly toleranceMs?: number | undefined
}

const sentences = {
  missingHeader: 'a webhook-* header is missing',
  badTimestamp: 'webhook-timestamp is not in seconds',
  tooOld: 'sent too long ago, or this clock is ahead',
  tooNew: 'sent in the future, or this clock is behind',
  noMatch: 'no signature of this body by the secret',
  parsedBody: 'the body must be the bytes that came',
  badSecret: 'the secret must be whsec_…',
} as const

export type WebhookSignatureReason = keyof typeof sentences

/** Not to be trusted: answer 400 and do nothing. `parsedBody` and `badSecret` are mistakes of this program. */
export class WebhookSignatureError extends PurserError {
  static override readonly kind = 'WebhookSignatureError'
  readonly reason: WebhookSignatureReason

  constructor(reason: WebhookSignatureReason) {
    super({ code: 'WEBHOOK_REFUSED', operation: 'verifyWebhook', reason: `${reason}: ${sentences[reason]}` })
    this.reason = reason
  }
}

/**
 * The event of a webhook, once its signature (Standard Webhooks) has been verified. Takes a `Request`, whose body it
 * reads, or the raw body and the headers as frameworks give them. The same event may come more than once: keep its
 * `id`. A `webhook.test`, and types newer than this version, come as they are.
 * @throws WebhookSignatureError
 */
export async function verifyWebhook<E = Event | UnknownEvent>(
  delivery: Request | WebhookDelivery,
  { secret, toleranceMs = 300_000 }: VerifyOptions,
): Promise<E> {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    header(delivery, `webhook-${name}`),
  )
  if (!id || !timestamp || !signatures) throw new WebhookSignatureError('missingHeader')
  checkAge(timestamp, toleranceMs)
  const given = [secret].flat().filter(Boolean)
  if (given.length === 0) refuse('badSecret')
  const keys = await Promise.all(given.map((text) => importSecret(text) ?? refuse('badSecret')))
  const body = await bytesOf(delivery)
  const expected = await Promise.all(keys.map((key) => signatureOf(key, id, timestamp, body)))
  const isGenuine = signatures.split(' ').some((signature) => expected.some((own) => isSame(signature, own)))
  return isGenuine ? JSON.parse(new TextDecoder().decode(body)) : refuse('noMatch')
}

const refuse = (reason: WebhookSignatureReason): never => {
  throw new WebhookSignatureError(reason)
}

function header({ headers }: Request | WebhookDelivery, name: string): string | undefined {
  if (typeof headers.get === 'function') return (headers as Headers).get(name) ?? undefined
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return [found].flat().join(' ')
}

function checkAge(timestamp: string, toleranceMs: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) refuse('badTimestamp')
  const ageMs = Date.now() - Number(timestamp) * 1_000
  if (ageMs > toleranceMs) refuse('tooOld')
  if (-ageMs > toleranceMs) refuse('tooNew')
}

async function bytesOf(delivery: Request | WebhookDelivery): Promise<Uint8Array<ArrayBuffer>> {
  if ('arrayBuffer' in delivery)
    return new Uint8Array(delivery.bodyUsed ? refuse('parsedBody') : await delivery.arrayBuffer())
  const { body } = delivery
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength)
  return body instanceof ArrayBuffer ? new Uint8Array(body) : refuse('parsedBody')
}

/** Takes as long for a wrong first letter as for a wrong last one. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length
  for (let index = 0; index < expected.length; index++)
    difference |= given.charCodeAt(index) ^ expected.charCodeAt(index)
  return difference === 0
}
