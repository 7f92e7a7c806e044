import { PurserError } from './errors.ts'
import { importSecret, signatureOf } from './signature.ts'

export interface SignOptions {
  /** The endpoint's `whsec_…`. */
  readonly secret: string | undefined
  /** `webhook-id`; default the id of the event. */
  readonly id?: string | undefined
  /** When it was sent; default now. */
  readonly at?: Date | undefined
}

/** A webhook as a sender would post it; headers have lower-case names. */
export interface SignedWebhook {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** Signs an event (or a body as it stands) as Purser does, for tests of your receiver. */
export async function signWebhook(event: object | string, { secret, id, at }: SignOptions): Promise<SignedWebhook> {
  const key = await importSecret(secret)
  if (key === undefined)
    throw new PurserError({ code: 'INVALID_CONFIGURATION', operation: 'signWebhook', reason: 'secret must be whsec_…' })
  const body = typeof event === 'string' ? event : JSON.stringify(event)
  const webhookId = id ?? String((event as { readonly id?: unknown }).id ?? 'evt_test')
  const timestamp = String(Math.floor((at?.getTime() ?? Date.now()) / 1_000))
  const signature = await signatureOf(key, webhookId, timestamp, new TextEncoder().encode(body))
  const headers = { 'webhook-id': webhookId, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
  return { body, headers: { 'content-type': 'application/json', ...headers } }
}
