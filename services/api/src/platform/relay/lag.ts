import type { Alerts } from '../alerts.ts'
import type { Config } from '../config.ts'

const reminderMs = 60_000

export type LagAlarm = (lagMs: number) => void

/**
 * Raises an alert when the relay lags behind by more than the limit, and again every minute while it does. What has
 * piled up before this process began is no reason in the process's first moments.
 */
export function createLagAlarm(alerts: Alerts, { RELAY_LAG_LIMIT_MS: limitMs }: Config): LagAlarm {
  const began = performance.now()
  let raised = Number.NEGATIVE_INFINITY
  return (lagMs) => {
    const now = performance.now()
    if (lagMs <= limitMs || now - began <= limitMs || now - raised <= reminderMs) return
    raised = now
    alerts.raise({ alert: 'relay.lag', message: 'events wait to be relayed', lagMs: Math.round(lagMs) })
  }
}
