import { ApiError, ConnectionError, TimeoutError } from './errors.ts'

const transientStatuses = [408, 425, 429, 500, 502, 503, 504]
const firstCeilingMs = 500
const lastCeilingMs = 8_000

/** Whether the same request may succeed a moment later; the problem's own `retryable` has the last word. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) {
    const { status, code, problem } = error
    return problem?.retryable ?? (transientStatuses.includes(status) || code === 'IDEMPOTENCY_IN_PROGRESS')
  }
  return error instanceof TimeoutError || (error instanceof ConnectionError && error.code === 'CONNECTION_FAILED')
}

/**
 * Milliseconds to wait before repetition number `retries` (from 0). What the service asked for is never shortened, only
 * spread by a tenth; without it, exponential back-off with full jitter: a random share of 0.5, 1, 2, 4, 8 seconds.
 */
export function delayBefore(retries: number, retryAfterMs: number | undefined): number {
  if (retryAfterMs !== undefined) return retryAfterMs * (1 + Math.random() / 10)
  return Math.random() * Math.min(lastCeilingMs, firstCeilingMs * 2 ** retries)
}

/** `Retry-After` in milliseconds (RFC 9110 §10.2.3: seconds or a date, which is read against the answer's own clock). */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (!value) return undefined
  if (Number(value) >= 0) return Number(value) * 1_000
  const ms = Date.parse(value) - (Date.parse(headers.get('date') ?? '') || Date.now())
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/** How long to let something run, and what to throw when it is cut short. */
export interface Limits {
  readonly ms: number
  readonly signal: AbortSignal | undefined
  readonly onTimeout: () => Error
  readonly onAbort: () => Error
}

/**
 * Runs `work` until it settles, the time is over or the caller's signal is aborted, whichever comes first; leaves neither
 * a timer nor a listener behind. The signal given to `work` is aborted when nobody waits for it any more.
 */
export function within<T>(work: (signal: AbortSignal) => Promise<T>, limits: Limits): Promise<T> {
  const { ms, signal, onTimeout, onAbort } = limits
  return new Promise((resolve, reject) => {
    const controller = new AbortController()
    const leave = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    const stop = (error: Error) => {
      leave()
      reject(error)
      controller.abort()
    }
    const abort = () => stop(onAbort())
    // A timer holds at most 2^31 - 1 milliseconds, 24 days.
    const timer = setTimeout(() => stop(onTimeout()), Math.min(ms, 2 ** 31 - 1))
    signal?.addEventListener('abort', abort)
    work(controller.signal).then(resolve, reject).finally(leave)
  })
}

/** Waits at least `ms` milliseconds, unless the signal is aborted before. */
export function sleep(ms: number, signal: AbortSignal | undefined, onAbort: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(onAbort())
    }
    const wake = () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    // Timers count whole milliseconds and may fire one early.
    const timer = setTimeout(wake, Math.ceil(ms) + 1)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
