import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { connectDirectly } from '#platform/direct-connection.ts'
import { ledgerChannel } from '#platform/relay/channels.ts'
import { createLedgerSignal } from '#platform/relay/wake.ts'
import { captureLog } from '#test/captured-log.ts'
import { testConfig } from '#test/config.ts'
import { cloneDatabase } from '#test/harness.ts'
import { postgresWire } from '#test/postgres-wire.ts'
import { until } from '#test/until.ts'

// Nobody else writes here: every signal is one of this file.
const databaseUrl = await cloneDatabase(t)
const config = testConfig(databaseUrl)
const { log } = captureLog()
const listener = await connectDirectly({ config, log, applicationName: 'test', statementTimeoutMs: 1_000 })
t.teardown(() => listener.close())
let heard = 0
await listener.listen(ledgerChannel, () => heard++)
const wire = await postgresWire(t, databaseUrl)
const signal = createLedgerSignal({ config: { ...config, DIRECT_DATABASE_URL: wire.url }, log })
t.teardown(() => signal.close())

t.test('however many ask, one signal is under way and one waits', async (t) => {
  for (const round of ['first', 'second']) {
    const before = heard
    for (let ask = 0; ask < 1_000; ask++) signal.wake()
    await until(`the ${round} signal`, () => heard > before)
    await sleep(100)
    t.ok(heard - before <= 2, `${heard - before} signals for 1,000`)
  }
})

t.test('a connection that broke is opened with a later signal', async () => {
  wire.cut()
  const before = heard
  await until('heard again', () => {
    signal.wake()
    return heard > before
  })
})
