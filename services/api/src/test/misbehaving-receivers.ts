import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { newId } from '#platform/id.ts'
import { systemOrigin } from '#platform/work.ts'
import { selfSigned } from './certificate.ts'
import { type Harness, harness } from './harness.ts'
import { type Launched, launch } from './launched.ts'
import { ownCluster } from './own-cluster.ts'
import { type Receiver, receiver, statusAnswer } from './receiver.ts'
import { until } from './until.ts'
import { addEndpoint, reachable } from './webhook-endpoints.ts'

export interface MisbehaviourPlan {
  /** How often each of the states comes. */
  readonly turns: number
  readonly roundMs: number
  readonly eventsPerSecond: number
}

/** What the good receivers have beside them: nobody, others that behave, or bad ones in their place. */
const companies = ['none', 'behaving', 'misbehaving'] as const
type Company = (typeof companies)[number]

/** Lags of good receivers in milliseconds, from COMMIT to the last byte of the body. */
type Turn = Record<Company, readonly number[]>

interface Scene {
  readonly h: Harness
  readonly worker: Launched
  readonly good: readonly Receiver[]
  /** URLs by endpoint. */
  readonly bad: ReadonlyMap<string, string>
  readonly behaving: string
  /** Breaks every connection of the bad receivers. */
  hangUp(): void
}

/**
 * A worker that sends the same events to good receivers in each company by turns. Bad receivers begin each time as if
 * nothing had been wrong with them yet.
 */
export async function besideMisbehaving(t: Test, plan: MisbehaviourPlan) {
  const inside = await receiver(t)
  const scene = await prepare(t, inside.url)
  // What the first events load and compile is nobody's fault.
  await measure(scene, plan, 'none', [])
  const turns: Turn[] = []
  const memory: number[] = []
  for (let turn = 0; turn < plan.turns; turn++) {
    const lags: Turn = { none: [], behaving: [], misbehaving: [] }
    const first = turn % companies.length
    for (const company of [...companies.slice(first), ...companies.slice(0, first)])
      lags[company] = await measure(scene, plan, company, memory)
    turns.push(lags)
  }
  t.equal(inside.received.length, 0, 'nothing was sent where redirects point')
  return { turns, memory, outcomes: await outcomesOf(scene) }
}

async function prepare(t: Test, inside: string): Promise<Scene> {
  const { databaseUrl } = await ownCluster(t)
  const h = await harness(t, { databaseUrl, env: reachable })
  const good = await Promise.all([receiver(t), receiver(t), receiver(t, afterPause)])
  const types = ['product.updated']
  for (const [index, { url }] of good.entries())
    await addEndpoint(h, url, { types, ordering: index === 1 ? 'perResource' : 'none' })
  const { urls, behaving, hangUp } = await badReceivers(t, inside)
  const bad = new Map<string, string>()
  for (const url of urls) bad.set((await addEndpoint(h, url, { types, maxConcurrency: 20 })).id, url)
  const env = {
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEY: h.runtime.config.ENCRYPTION_KEY,
    LEDGER_SIGNING_KEY: h.runtime.config.LEDGER_SIGNING_KEY,
    LOG_LEVEL: 'warn',
    ...reachable,
  }
  const worker = launch(t, 'worker.ts', env, ['--expose-gc', `--import=data:text/javascript,${tellMemory}`])
  await worker.ready
  return { h, worker, good, bad, behaving, hangUp }
}

const afterPause: Parameters<typeof receiver>[1] = (...request) =>
  void setTimeout(() => statusAnswer(204)(...request), 20)

/** Answers each message with the memory in use once garbage has been collected. */
const tellMemory = `process.on("message",()=>{gc();gc();process.send(process.memoryUsage())})`

async function memoryOf({ child }: Launched): Promise<number> {
  child.send('memory')
  const [{ heapUsed, external }] = (await once(child, 'message')) as [NodeJS.MemoryUsage]
  return (heapUsed + external) / 2 ** 20
}

async function badReceivers(t: Test, inside: string) {
  const { keyFile, certificateFile } = selfSigned()
  const entry = fileURLToPath(new URL('./bad-receivers.ts', import.meta.url))
  const child = fork(entry, [inside, keyFile, certificateFile])
  t.teardown(() => void child.kill('SIGKILL'))
  const [{ behaves, ...ports }] = (await once(child, 'message')) as [Record<string, number>]
  const urls = Object.entries(ports).map(([name, port]) => {
    const scheme = name === 'presentsBadCertificate' || name === 'speaksNoTls' ? 'https' : 'http'
    return `${scheme}://127.0.0.1:${port}/${name}`
  })
  return {
    urls: [...urls, 'http://127.0.0.1:1/refuses'],
    behaving: `http://127.0.0.1:${behaves}/behaves`,
    hangUp: () => void child.send('hang up'),
  }
}

/** One round: the lag of each event at each good receiver. */
async function measure(scene: Scene, plan: MisbehaviourPlan, company: Company, memory: number[]) {
  const { good, worker } = scene
  await begin(scene, company)
  for (const { received } of good) (received as unknown[]).length = 0
  const committed = new Map<string, number>()
  for (let left = (plan.roundMs / 1_000) * plan.eventsPerSecond; left > 0; left--) {
    const pause = delay((2 * Math.random() * 1_000) / plan.eventsPerSecond)
    const id = newId('prd')
    await change(scene.h, id)
    committed.set(id, performance.now())
    await pause
  }
  await until('all have arrived', () => good.every(({ received }) => received.length >= committed.size), 60_000)
  memory.push(await memoryOf(worker))
  return good.flatMap(({ received }) =>
    received.map(({ at, event }) => at - (committed.get((event.resource as { id: string }).id) ?? Number.NaN)),
  )
}

function change({ runtime, tenant: { organizationId } }: Harness, id: string): Promise<void> {
  const { log, unitOfWork } = runtime
  const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_test', traceparent: null, log })
  return unitOfWork.write(origin, async (work) => {
    work.record({
      type: 'product.updated',
      resource: { type: 'product', id, version: 1 },
      changed: ['title'],
      data: { id },
    })
  })
}

/** Nothing of the round before is on its way, and every breaker is closed. */
async function begin({ h, bad, behaving, hangUp }: Scene, company: Company): Promise<void> {
  const ids = [...bad.keys()]
  await h.db.query(
    `update webhook_endpoints set state = 'disabled', failing_since = null, next_probe_at = null
    where id = any($1)`,
    [ids],
  )
  await h.db.query(
    `update webhook_deliveries set state = 'cancelled' where endpoint_id = any($1) and state = 'pending'`,
    [ids],
  )
  const underWay = `select count(*)::int as count from webhook_deliveries where state = 'sending'`
  await until('nothing is on its way', async () => {
    hangUp()
    return (await h.db.query(underWay)).rows[0].count === 0
  })
  if (company === 'none') return
  await h.db.query(
    `update webhook_endpoints e set state = 'active', consecutive_failures = 0, probe_count = 0, url = g.url
     from unnest($1::text[], $2::text[]) g (id, url) where e.id = g.id`,
    [ids, company === 'misbehaving' ? [...bad.values()] : ids.map(() => behaving)],
  )
}

async function outcomesOf({ h, bad }: Scene) {
  const { rows } = await h.db.query<{ way: string; outcome: string; attempts: number }>(
    `select substring(g.url from '[A-Za-z]+$') as way, coalesce(error, status::text) as outcome, count(*)::int as attempts
     from webhook_attempts a join unnest($1::text[], $2::text[]) g (id, url) on g.id = a.endpoint_id
     group by 1, 2 order by 1, 3 desc`,
    [[...bad.keys()], [...bad.values()]],
  )
  return rows
}
