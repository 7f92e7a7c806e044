import { setTimeout as delay } from 'node:timers/promises'
import { Purser } from '@purser/sdk'
import type pg from 'pg'
import type { Test } from 'tap'
import type { TemporaryCluster } from '../start/temporary-cluster.ts'
import { chainFaults } from './chain.ts'
import { collect } from './cut-streams.ts'
import { type Harness, harness } from './harness.ts'
import { type KillableService, killableService } from './killable-service.ts'
import { type Load, placedOnce, repeatable, startLoad, stockUp } from './order-load.ts'
import { ownCluster } from './own-cluster.ts'
import { seededRandom } from './seeded-random.ts'
import { until } from './until.ts'
import { everybodyHeard, heardInAll, type Listener, listenAtEndpoints } from './webhook-listeners.ts'

export interface KillPlan {
  readonly kills: number
  readonly seed: number
}

const targets = ['API', 'worker', 'PostgreSQL'] as const
type Target = (typeof targets)[number]

/** What PostgreSQL has written outlives its processes; only a machine that fails would need fsync too. */
const durable = { synchronous_commit: 'on', full_page_writes: 'on' }
const minInFlight = 4
/** Pause of each client while nothing is about to be killed: what has piled up is worked off. */
const calmMs = 1_500
const takeOverLimitMs = 5_000
const recoveryLimitMs = 10_000
/** How long anything is waited for before it counts as lost. */
const patienceMs = 60_000

/** One kill, what it broke, and how long it was felt. */
interface Kill {
  readonly target: Target
  /** Requests under way, and those that had to be sent again because of it. */
  readonly inFlight: number
  readonly broken: number
  /** Webhooks that were on their way. */
  readonly sending: number
  /** Until another worker led; null: it was no worker. */
  readonly takeOverMs: number | null
  /** From its end, which is a start, to the arrival of an order placed since then as a webhook. */
  readonly recoveryMs: number
}

interface Stage {
  readonly h: Harness
  readonly cluster: TemporaryCluster
  readonly service: KillableService
  readonly load: Load
  readonly listeners: readonly Listener[]
}

/**
 * Kills the API, the worker that leads and PostgreSQL in turn under load and checks that nothing was lost, that what
 * the relay numbered is whole, and that every endpoint has got every event with the same bytes each time.
 */
export async function killInTurn(t: Test, { kills, seed }: KillPlan): Promise<void> {
  const random = seededRandom(seed)
  const { cluster, databaseUrl } = await ownCluster(t, durable)
  const h = await harness(t, { databaseUrl })
  const tenants = [h.tenant, await h.otherTenant()] as const
  for (const tenant of tenants) await stockUp(tenant)
  const listeners = await listenAtEndpoints(t, h, tenants[1].organizationId, random)
  const service = await killableService(t, h)
  const load = startLoad(t, { port: service.port, tenants, clients: 24, patienceMs: 300, random })
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const purser = new Purser({ baseUrl: `http://127.0.0.1:${service.port}`, apiKey: h.tenant.key })
  const followed = collect(purser, {}, stop.signal)
  await until('the stream is open', () => followed.length > 0, patienceMs)
  const stage = { h, cluster, service, load, listeners }
  const done: Kill[] = []
  for (let kill = 0; kill < kills; kill++) {
    load.pauseMs = calmMs
    await delay(random() * 1_000)
    load.pauseMs = 0
    await delay(300 + random() * 300)
    done.push(await killOnce(stage, targets[kill % targets.length] as Target))
    t.same(service.deaths(), [], `kill ${kill + 1}: the others live on`)
  }
  await delay(300)
  await load.finish()
  await settle(h.db)
  await checkAll(t, stage)
  await nothingSkipped(t, h, followed)
  report(t, done)
  const { requests, repeated } = heardInAll(listeners)
  const events = (await h.db.query('select from events')).rowCount
  t.comment(`| ${kills} kills, seed ${seed}: ${load.acknowledged.size} orders, ${load.unknown} unknown outcomes`)
  t.comment(`| ${events} events, ${requests} webhooks received, ${repeated} of them repeated`)
  t.comment(`| logged as errors: ${JSON.stringify(service.said(['error', 'fatal']))}`)
}

async function killOnce(stage: Stage, target: Target): Promise<Kill> {
  const { h, load, service } = stage
  const leader = await leaderOf(stage)
  const { rowCount } = await h.db.query(`select from webhook_deliveries where state = 'sending'`)
  await until('there is load', () => load.inFlight >= minInFlight)
  const { inFlight, unknown, putOff } = load
  load.pauseMs = calmMs
  const takeOverMs = await strike(stage, target, leader)
  const healed = performance.now()
  await recovered(stage)
  const recoveryMs = Math.round(performance.now() - healed)
  if (target === 'worker') await service.startWorker()
  const broken = load.unknown - unknown + load.putOff - putOff
  return { target, inFlight, broken, sending: rowCount ?? 0, takeOverMs, recoveryMs }
}

/**
 * Kills and starts again; answers after how long another worker led. One that is killed is left away for the moment, so
 * that the other one has to take over.
 */
async function strike(stage: Stage, target: Target, leader: number): Promise<number | null> {
  const { service, cluster } = stage
  if (target === 'API') await service.killApi().then(service.startApi)
  if (target === 'PostgreSQL') await cluster.restart('SIGKILL')
  if (target !== 'worker') return null
  const began = performance.now()
  await service.killWorker(leader)
  await leaderOf(stage)
  return Math.round(performance.now() - began)
}

/** Resolves when an order that was placed from now on has arrived as a webhook. */
async function recovered({ load, listeners }: Stage): Promise<void> {
  const before = load.acknowledged.size
  const [{ receiver }] = listeners as [Listener]
  await until(
    'an order has been placed and told of',
    () => {
      const placed = [...load.acknowledged.values()].slice(before)
      return placed.some(({ orderId }) => receiver.resources.has(orderId))
    },
    patienceMs,
  )
}

/** The process id of the worker that leads, once one that lives does. */
async function leaderOf({ h, service }: Stage): Promise<number> {
  let leader = 0
  const living = `select split_part(leader, ':', 2)::int as pid from relay_state
    where beat_at > clock_timestamp() - interval '3 s'`
  await until(
    'a worker leads',
    async () => {
      const rows = await h.db.query(living).then(
        ({ rows }) => rows,
        () => [],
      )
      leader = rows[0]?.pid ?? 0
      return service.workers().includes(leader)
    },
    patienceMs,
  )
  return leader
}

/** Waits until the relay has numbered all there is and every webhook has arrived. */
async function settle(db: pg.Pool): Promise<void> {
  const none = (text: string) => async () => (await db.query(text)).rowCount === 0
  const unnumbered = `select from ledger l where not exists (
    select from events e where e.organization_id = l.organization_id and e.id = l.id) limit 1`
  await until('every row is numbered', none(unnumbered), patienceMs)
  const open = `select from webhook_deliveries where state <> 'delivered' limit 1`
  await until('every webhook has arrived', none(open), 2 * patienceMs)
}

async function checkAll(t: Test, { h, load, listeners, service }: Stage): Promise<void> {
  await placedOnce(t, load, h.db)
  await repeatable(t, load, 50)
  t.same(await chainFaults(h.db), [], 'the chain is whole: dense from 1, every hash, the heads')
  await everybodyHeard(t, h, listeners)
  t.same(service.said(['fatal']), {}, 'nothing went wrong that nobody caught')
}

/** A stream that was followed through all kills of the API has had every event once and in order. */
async function nothingSkipped(t: Test, { db, tenant }: Harness, followed: readonly number[]): Promise<void> {
  const text = 'select sequence::int from events where organization_id = $1 order by sequence'
  const { rows } = await db.query(text, [tenant.organizationId])
  await until('the stream is at the end', () => followed.length >= rows.length, patienceMs)
  const sequences = rows.map(({ sequence }) => sequence)
  t.same(followed, sequences, 'the stream had every event, once and in order')
}

function report(t: Test, done: readonly Kill[]): void {
  for (const target of targets) {
    const own = done.filter((kill) => kill.target === target)
    const of = (name: 'inFlight' | 'broken' | 'sending' | 'recoveryMs') => own.map((kill) => kill[name])
    t.comment(`| ${target}: ${own.length} kills; requests in flight ${of('inFlight')}, to be repeated ${of('broken')}; \
webhooks on their way ${of('sending')}; placed and told of again after ${of('recoveryMs')} ms`)
    const damage = own.map(({ broken, sending }) => (target === 'worker' ? sending : broken))
    t.ok(Math.max(...damage) > 0, `${target}: the kills bit`)
    const slowest = Math.max(...of('recoveryMs'))
    t.ok(slowest < recoveryLimitMs, `${target}: an order was placed and told of again within ${slowest} ms`)
  }
  const takeOvers = done.flatMap(({ takeOverMs }) => takeOverMs ?? [])
  const slowest = Math.max(...takeOvers)
  t.comment(`| another worker led after ${takeOvers} ms`)
  t.ok(slowest < takeOverLimitMs, `another worker led within ${slowest} ms`)
}
