import type { Test } from 'tap'
import type { Alert } from '#platform/alerts.ts'
import { harness } from '#test/harness.ts'
import { type Answerer, receiver } from '#test/receiver.ts'
import { until } from '#test/until.ts'
import {
  addEndpoint,
  deliveriesOf,
  movableClock,
  placing,
  reachable,
  sending,
  type TestEndpoint,
} from '#test/webhook-endpoints.ts'

/** A service whose clock can be moved, and scenes of one receiver, its endpoint and a sender. */
export async function scenes(t: Test) {
  const clock = movableClock()
  const h = await harness(t, { env: reachable, clock })
  const place = await placing(h)
  const stateOf = async ({ id }: TestEndpoint) =>
    (await h.db.query('select * from webhook_endpoints where id = $1', [id])).rows[0]
  const settled = (endpoint: TestEndpoint, attempts: number) =>
    until(
      `${attempts} attempts are written`,
      async () => {
        const rows = await deliveriesOf(h, endpoint.id)
        return rows.length > 0 && rows.every((row) => row.log.length >= attempts && row.state !== 'sending')
      },
      30_000,
    )

  /** Whoever raises alerts is replaced by a list; the endpoint hears of nothing more when `t` ends. */
  async function scene(t: Test, answerer: Answerer | number, options: Parameters<typeof addEndpoint>[2] = {}) {
    const alerts: Alert[] = []
    const target = await receiver(t, answerer)
    const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'], ...options })
    sending(t, { ...h.runtime, alerts: { raise: (alert) => void alerts.push(alert), close: async () => {} } })
    t.teardown(() => h.db.query('update webhook_endpoints set archived_at = now() where id = $1', [endpoint.id]))
    return { alerts, target, endpoint }
  }
  return { h, clock, place, scene, stateOf, settled }
}
