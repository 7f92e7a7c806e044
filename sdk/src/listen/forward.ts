import type { Event } from '../generated/types.ts'
import { sleep } from '../retry.ts'
import type { UnknownEvent } from '../stream.ts'
import { signWebhook } from '../testing.ts'

/** Where events go, and how. */
export interface Receiver {
  readonly url: string
  /** `whsec_…` */
  readonly secret: string
  readonly signal: AbortSignal
  /** Hears of every attempt, in one line. */
  readonly report: (line: string) => void
}

const timeoutMs = 15_000
/** Before the second and the third attempt. Somebody is watching: the service itself waits longer. */
const pausesMs = [1_000, 5_000]
/** From here on the service sends a link in place of the data. */
const largestBody = 20_000

/** Posts an event as the webhook that the service would send; tries three times, then lets it go. */
export async function forward(event: Event | UnknownEvent, { url, secret, signal, report }: Receiver): Promise<void> {
  const { sequence, type, id } = event
  const text = bodyOf(event)
  for (const pauseMs of [...pausesMs, undefined]) {
    const { body, headers } = await signWebhook(text, { secret, id })
    const startedAt = performance.now()
    const { isTaken, answer } = await post(url, { body, headers, signal })
    signal.throwIfAborted()
    const rest = isTaken ? '' : pauseMs === undefined ? ', given up' : `, again in ${pauseMs / 1_000} s`
    report(`${sequence} ${type} ${id} → ${answer} in ${Math.round(performance.now() - startedAt)} ms${rest}`)
    if (isTaken || pauseMs === undefined) return
    await sleep(pauseMs, signal, () => signal.reason)
  }
}

function bodyOf(event: Event | UnknownEvent): string {
  const text = JSON.stringify(event)
  if (new TextEncoder().encode(text).length < largestBody) return text
  return JSON.stringify({ ...event, data: null, link: `/v1/events/${event.id}` })
}

async function post(
  url: string,
  init: { body: string; headers: Readonly<Record<string, string>>; signal: AbortSignal },
) {
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(timeoutMs)])
  const headers = { ...init.headers, 'user-agent': 'purser-listen' }
  try {
    const response = await fetch(url, { method: 'POST', body: init.body, headers, signal, redirect: 'manual' })
    response.body?.cancel().catch(() => {})
    return { isTaken: response.ok, answer: String(response.status) }
  } catch (error) {
    const { name, cause } = error as Error
    return { isTaken: false, answer: (cause as { readonly code?: string } | undefined)?.code ?? name }
  }
}
