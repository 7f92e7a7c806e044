import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Alert } from '#platform/alerts.ts'
import { startRelay } from '#platform/relay/relay.ts'
import { captureLog } from '#test/captured-log.ts'
import { chainFaults } from '#test/chain.ts'
import { harness } from '#test/harness.ts'
import { launch } from '#test/launched.ts'
import { ownCluster } from '#test/own-cluster.ts'
import { until } from '#test/until.ts'

const { cluster, databaseUrl } = await ownCluster(t)
const h = await harness(t, { databaseUrl })
const env = { DATABASE_URL: databaseUrl }

const worker = async (parent: Test) => {
  const launched = launch(parent, 'worker.ts', env)
  await launched.ready
  const leads = () => launched.log().some(({ message }) => message === 'relay leads')
  return { ...launched, leads }
}
const rowsWithoutEvent = async (): Promise<number> => {
  const { rows } = await h.db.query(`select count(*)::int as n from ledger l
    where not exists (select from events e where e.organization_id = l.organization_id and e.id = l.id)`)
  return rows[0].n
}
let products = 0
/** Writes something and answers how long it took until it was numbered. */
async function numberedAfterMs(withinMs: number): Promise<number> {
  const sku = `SKU-${products++}`
  await h.tenant.stock([{ sku, onHand: 1 }])
  const began = performance.now()
  await until(`${sku} is numbered`, async () => (await rowsWithoutEvent()) === 0, withinMs)
  return performance.now() - began
}

t.test(
  'one worker leads; killed or frozen, the other takes over within 5 s and nothing is numbered twice',
  async (t) => {
    const first = await worker(t)
    await until('the first leads', first.leads)
    t.ok((await numberedAfterMs(5_000)) < 5_000)
    const second = await worker(t)
    await sleep(1_000)
    t.notOk(second.leads(), 'the second waits')

    first.child.kill('SIGKILL')
    let began = performance.now()
    await until('the second leads', second.leads, 5_000)
    t.comment(`killed: taken over after ${Math.round(performance.now() - began)} ms`)
    await numberedAfterMs(5_000)

    const third = await worker(t)
    second.child.kill('SIGSTOP')
    began = performance.now()
    await until('the third leads', third.leads, 5_000)
    t.comment(`frozen: taken over after ${Math.round(performance.now() - began)} ms`)
    await numberedAfterMs(5_000)
    second.child.kill('SIGCONT')
    await until('the second has noticed', () =>
      second.log().some(({ message }) => message === 'relay lost its database connection'),
    )
    await numberedAfterMs(5_000)

    third.child.kill('SIGTERM')
    began = performance.now()
    t.equal(await third.ended, 0)
    await until(
      'the second leads again',
      () => second.log().filter((l) => l.message === 'relay leads').length === 2,
      5_000,
    )
    await numberedAfterMs(5_000)

    await cluster.restart('SIGINT')
    began = performance.now()
    await until('the database is back', () =>
      h.db.query('select').then(
        () => true,
        () => false,
      ),
    )
    await numberedAfterMs(10_000)
    t.comment(`restart of PostgreSQL: numbered again after ${Math.round(performance.now() - began)} ms`)
    t.ok(performance.now() - began < 10_000)

    const { rows } = await h.db.query(
      `select count(*)::int as n, max(sequence)::int as newest, count(distinct sequence)::int as distinct
    from events where organization_id = $1`,
      [h.tenant.organizationId],
    )
    t.equal(rows[0].n, rows[0].newest)
    t.equal(rows[0].distinct, rows[0].newest)
  },
)

t.test('a fan-out that fails holds the relay up, which is told; nothing is half done, and it goes on', async (t) => {
  const raised: Alert[] = []
  const captured = captureLog()
  const heard: string[] = []
  const committed: string[] = []
  let isBroken = true
  const relay = startRelay({
    config: { ...h.runtime.config, RELAY_LAG_LIMIT_MS: 1_000 },
    log: captured.log,
    alerts: { raise: (alert) => void raised.push(alert), close: async () => {} },
    fanOuts: [
      {
        name: 'planted',
        join: async () => (events) => {
          const ids = events.map(({ id }) => id)
          heard.push(...ids)
          if (isBroken) throw new Error('planted')
          return { statements: [], committed: () => void committed.push(...ids) }
        },
      },
    ],
  })
  t.teardown(() => relay.stop())
  await h.tenant.stock([{ sku: 'HELD-UP', onHand: 1 }])
  const waiting = await rowsWithoutEvent()
  await until('the lag is told', () => raised.length > 0)
  t.match(raised, [{ alert: 'relay.lag' }])
  t.equal(await rowsWithoutEvent(), waiting, 'none of them has a number')
  const failures = captured.take().filter(({ message }) => message === 'relay: a batch failed and is tried again')
  t.match(failures[0], { level: 'error', err: { message: 'planted' } })
  t.same(committed, [], 'nor is it told of anything that was not committed')
  heard.length = 0
  isBroken = false
  await until('all are numbered', async () => (await rowsWithoutEvent()) === 0)
  t.equal(heard.length, waiting)
  t.same(committed, heard)
  t.same(await chainFaults(h.db), [])
})
