import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Alert } from '#platform/alerts.ts'
import { createLagAlarm } from '#platform/relay/lag.ts'
import { testConfig } from '#test/config.ts'

const config = { ...testConfig('postgres://nowhere/none'), RELAY_LAG_LIMIT_MS: 20 }

t.test('a lag above the limit is told once, but not in the first moments of a process', async (t) => {
  const raised: Alert[] = []
  const alarm = createLagAlarm({ raise: (alert) => void raised.push(alert), close: async () => {} }, config)
  alarm(5_000)
  t.same(raised, [], 'it has piled up before')
  await sleep(30)
  alarm(20)
  t.same(raised, [], 'the limit itself is allowed')
  alarm(20.6)
  alarm(5_000)
  t.same(raised, [{ alert: 'relay.lag', message: 'events wait to be relayed', lagMs: 21 }])
})
