import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './http-client.ts'

const patienceMs = 60_000

/**
 * What a correct client sees in the end: it repeats the very same request while the service is busy (503) or still at
 * work on it (409 IDEMPOTENCY_IN_PROGRESS). Any other answer of the 500s is a defect.
 */
export async function persist(send: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const answer = await send()
    const busy = answer.status === 503 || answer.body?.error?.code === 'IDEMPOTENCY_IN_PROGRESS'
    if (!busy) {
      if (answer.status >= 500) throw new Error(`answered ${answer.status}: ${answer.text}`)
      return answer
    }
    if (answer.headers['retry-after'] === undefined) throw new Error('a busy answer without Retry-After')
    if (Date.now() > deadline) throw new Error(`still busy after ${patienceMs} ms: ${answer.text}`)
    await delay(20 + Math.random() * 80)
  }
}

/** Looks until `look` finds something. */
export async function eventually<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== null && found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`)
    await delay(25)
  }
}

/** How many answers had which status and code: `{ '201': 1, '409 OUT_OF_STOCK': 199 }`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const outcome = status < 400 ? String(status) : `${status} ${body.error.code}`
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

/** A refusal without what differs for every request: equal for what is absent and for what is another tenant's. */
export function refusalOf({ status, body }: Answer): object {
  const { instance: _instance, meta: _meta, ...rest } = body
  return { status, ...rest }
}
