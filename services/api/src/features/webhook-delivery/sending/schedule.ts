const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Pauses before the second and the third attempt. */
const retryPauses = [10 * second, 60 * second] as const
const jitter = 0.2
/** Longest pause that a receiver may ask for. */
const longestAsked = hour
/** Pauses before the probes of a failing endpoint; the last one repeats. */
const probePauses = [5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 24 * hour] as const

/** When an attempt is made again after `made` of them failed; `askedMs` is what the receiver asked for. */
export function retryAt(now: Date, made: number, askedMs: number | null, random = Math.random()): Date {
  const planned = (retryPauses[Math.min(made, retryPauses.length) - 1] ?? retryPauses[0]) * (1 + jitter * random)
  return new Date(now.getTime() + Math.max(planned, Math.min(askedMs ?? 0, longestAsked)))
}

/** When a failing endpoint is probed next, after `made` probes. */
export const probeAt = (now: Date, made: number): Date =>
  new Date(now.getTime() + (probePauses[Math.min(made, probePauses.length - 1)] ?? 24 * hour))

/** Milliseconds that Retry-After of a 429 or 503 asks for, as seconds or as a date (RFC 9110, 10.2.3); null: none. */
export function askedPause(status: number | null, retryAfter: string | null, now: Date): number | null {
  if ((status !== 429 && status !== 503) || retryAfter === null) return null
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * second
  const date = Date.parse(retryAfter)
  return Number.isNaN(date) ? null : Math.max(0, date - now.getTime())
}
