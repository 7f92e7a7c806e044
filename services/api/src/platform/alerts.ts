import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.ts'
import type { Logger } from './logger.ts'

/** What somebody is told of. */
export type AlertName =
  | 'job.dead'
  | 'relay.lag'
  | 'stock.mismatch'
  | 'ledger.tampered'
  | 'webhook.deliveryDead'
  | 'webhook.endpointFailing'
  | 'webhook.endpointDisabled'
  | 'alerts.suppressed'

/** Ids, names and counts alone, never personal data: an alert leaves the house. */
export interface Alert {
  readonly alert: AlertName
  /** Says what happened in words that are the same each time. */
  readonly message: string
  readonly [id: string]: string | number | null | undefined
}

export interface Alerts {
  /** Writes an error line and sends the alert to ALERT_URL. Returns at once and never throws. */
  raise(alert: Alert): void
  /** Gives what waits a moment to leave, then gives it up. */
  close(): Promise<void>
}

/** How much is sent; times in milliseconds. */
export interface AlertLimits {
  readonly perWindow: number
  readonly windowMs: number
  readonly timeoutMs: number
  readonly retryPauseMs: number
}

const defaultLimits: AlertLimits = { perWindow: 30, windowMs: 60_000, timeoutMs: 5_000, retryPauseMs: 1_000 }
const maxAttempts = 3
const maxRemembered = 1_000
const closingMs = 3_000

/**
 * The same alert is raised once per window. Of different ones, `perWindow` are sent and the rest is counted in one
 * more, `alerts.suppressed`, so that a storm sends a bounded number; the log has a line of each.
 */
export function createAlerts(config: Config, log: Logger, limits: AlertLimits = defaultLimits): Alerts {
  const raisedAt = new Map<string, number>()
  const waiting: string[] = []
  const stopping = new AbortController()
  let [windowStart, sent, suppressed] = [0, 0, 0]
  let sending: Promise<void> | undefined
  let summary: NodeJS.Timeout | undefined

  function send(alert: Alert): void {
    waiting.push(JSON.stringify({ ...alert, at: new Date().toISOString() }))
    sending ??= drain().finally(() => {
      sending = undefined
    })
  }
  async function drain(): Promise<void> {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift())
      await deliver(config.ALERT_URL, body, log, limits, stopping.signal)
  }
  function summarize(): void {
    summary = undefined
    if (suppressed === 0 || stopping.signal.aborted) return
    send({ alert: 'alerts.suppressed', message: 'more alerts than are sent: the log has them all', count: suppressed })
    suppressed = 0
  }
  return {
    raise(alert) {
      const now = performance.now()
      if (isRepeated(raisedAt, JSON.stringify(alert), now, limits.windowMs)) return
      const { message, ...fields } = alert
      log.error(fields, message)
      if (config.ALERT_URL === '' || stopping.signal.aborted) return
      if (now - windowStart >= limits.windowMs) [windowStart, sent] = [now, 0]
      if (sent++ < limits.perWindow && waiting.length < limits.perWindow) return send(alert)
      suppressed++
      summary ??= setTimeout(summarize, limits.windowMs).unref()
    },
    async close() {
      clearTimeout(summary)
      summarize()
      const giveUp = setTimeout(() => stopping.abort(), closingMs)
      await sending
      clearTimeout(giveUp)
      stopping.abort()
    },
  }
}

function isRepeated(raisedAt: Map<string, number>, key: string, now: number, windowMs: number): boolean {
  const before = raisedAt.get(key)
  if (before !== undefined && now - before < windowMs) return true
  raisedAt.delete(key)
  raisedAt.set(key, now)
  const [oldest] = raisedAt.keys()
  if (raisedAt.size > maxRemembered && oldest !== undefined) raisedAt.delete(oldest)
  return false
}

/** Tries a few times; what the receiver answers beside its status is not read. */
async function deliver(url: string, body: string, log: Logger, limits: AlertLimits, stop: AbortSignal): Promise<void> {
  for (let attempt = 1; attempt <= maxAttempts && !stop.aborted; attempt++) {
    const started = performance.now()
    const failure = await post(url, body, AbortSignal.any([stop, AbortSignal.timeout(limits.timeoutMs)]))
    const fields = { attempt, durationMs: Math.round(performance.now() - started) }
    if (failure === null) return log.info(fields, 'alert sent')
    log.warn({ ...fields, reason: failure }, 'alert could not be sent')
    if (attempt < maxAttempts) await delay(limits.retryPauseMs * attempt, undefined, { signal: stop }).catch(() => {})
  }
}

/** Null when it was taken, else why not; the address stays out of it, for it may hold a secret. */
async function post(url: string, body: string, signal: AbortSignal): Promise<string | null> {
  try {
    const headers = { 'content-type': 'application/json', 'user-agent': 'purser' }
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return response.ok ? null : `answered ${response.status}`
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code?.toString() ?? cause.name) : 'no answer'
  }
}
