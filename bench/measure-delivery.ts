import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, post, startApi, startWorker } from './api.ts'
import { readCatalog } from './catalog.ts'
import { query } from './cluster.ts'
import { createDatabase, serverUrl, untilNumbered, workerUrl } from './databases.ts'
import { openLoop } from './load/load.ts'
import { watchHost } from './processes.ts'
import { medianOf, quantile } from './statistics.ts'
import { type Arrival, type Subscriber, subscribeStream, subscribeWebhooks } from './subscribers.ts'

const database = 'bench_delivery'
const ordersPerSecond = 200
const eventsPerOrder = 2
/**
 * Until what runs is compiled. V8 does so in earnest after a function's 3,000th call, and some are called once per batch,
 * 45 times a second; a service that starts with this load answers half as fast for its first seconds.
 */
const warmUpSeconds = 40
/** The generator, too, begins cold. */
const settleSeconds = 5
const lateMs = 30_000

export interface Delivery extends Latencies {
  readonly to: 'stream' | 'webhook'
}

interface Rounds {
  readonly rounds: number
  readonly seconds: number
}

interface Latencies {
  /** Events of a round. */
  readonly events: number
  /** Milliseconds from the COMMIT of the order's transaction, medians over the rounds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** The same from the start of that transaction. */
  readonly p99FromStart: number
}

/**
 * How long an event takes from the COMMIT of an order to a reader of the stream and to a receiver of webhooks, while
 * orders arrive at a constant rate.
 * @throws Error when an event does not arrive, or an order is refused.
 */
export async function measureDelivery(
  given: Bench,
  cluster: RunningCluster,
  { rounds, seconds }: Rounds,
  say: (line: string) => void,
): Promise<readonly Delivery[]> {
  const apiKey = await createDatabase(cluster, database)
  // Webhooks reach loopback in development only.
  const settings = {
    NODE_ENV: 'development',
    OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8',
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ...given.settings,
  }
  const bench: Bench = { ...given, apiKey, settings }
  const url = cluster.url(database)
  const catalog = await readCatalog(url, bench.scratch)
  const api = await startApi(bench, serverUrl(cluster, database))
  const worker = await startWorker(bench, workerUrl(cluster, database))
  await untilNumbered(url)
  const webhook = await subscribeWebhooks()
  const stream = await subscribeStream(api.url, apiKey)
  const load = { kind: 'orders', url: api.url, apiKey, file: catalog.file, signal: bench.signal } as const
  try {
    await register(bench, api.url, webhook.url)
    const place = async (forSeconds: number): Promise<void> => {
      const rate = { perSecond: ordersPerSecond, seconds: forSeconds, warmUpSeconds: 0, clients: 64 }
      const { done, refused, broken } = await openLoop(load, rate)
      if (refused + broken > 0) throw new Error(`${refused} orders were refused, ${broken} broke`)
      await haveArrived([stream, webhook], done * eventsPerOrder)
    }
    await place(warmUpSeconds)
    for (const { forget } of [stream, webhook]) forget()
    // One stream of orders: a load that begins anew for each round is measured as it begins.
    const host = watchHost()
    await place(settleSeconds + rounds * seconds)
    const stolen = host.stolenShare()
    const committed = await readCommits(url, stream.arrivals)
    const inRounds = ({ arrivals }: Subscriber) => latenciesByRound(arrivals, committed, { rounds, seconds })
    const [streamed, posted] = [inRounds(stream), inRounds(webhook)]
    say(`p99 by round: stream ${listed(streamed)} ms, webhook ${listed(posted)} ms`)
    say(`the host gave ${(100 * stolen).toFixed(1)} % of the processors to others meanwhile`)
    return [
      { to: 'stream', ...medianOf(streamed) },
      { to: 'webhook', ...medianOf(posted) },
    ]
  } finally {
    stream.close()
    await Promise.all([api.stop(), worker.stop()])
    webhook.close()
  }
}

async function register(bench: Bench, url: string, receiver: string): Promise<void> {
  await post(bench, new URL('/v1/webhook-endpoints', url), { url: receiver, types: ['*'], maxConcurrency: 50 })
}

async function haveArrived(subscribers: readonly Subscriber[], events: number): Promise<void> {
  const deadline = Date.now() + lateMs
  while (subscribers.some(({ arrivals }) => arrivals.length < events)) {
    if (Date.now() > deadline)
      throw new Error(`of ${events} events arrived ${subscribers.map(({ arrivals }) => arrivals.length).join(' and ')}`)
    await sleep(20)
  }
}

/** When PostgreSQL committed what these events tell of, by event, in milliseconds since 1970. */
async function readCommits(url: string, arrivals: readonly Arrival[]): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ id: string; at: number }>(
    url,
    `select id, extract(epoch from pg_xact_commit_timestamp(xid::xid))::float8 * 1000 as at
     from ledger where id = any($1)`,
    [arrivals.map(({ id }) => id)],
  )
  return new Map(rows.map(({ id, at }) => [id, at]))
}

/** Rounds follow one after the other; an event belongs to the one in which it was committed. */
function latenciesByRound(
  arrivals: readonly Arrival[],
  committed: ReadonlyMap<string, number>,
  { rounds, seconds }: Rounds,
): readonly Latencies[] {
  const timed = arrivals.map((arrival) => ({ ...arrival, committedAt: committed.get(arrival.id) ?? Number.NaN }))
  const begin = Math.min(...timed.map(({ committedAt }) => committedAt)) + settleSeconds * 1_000
  return Array.from({ length: rounds }, (_, round) => {
    const [from, to] = [begin + round * seconds * 1_000, begin + (round + 1) * seconds * 1_000]
    return latenciesOf(timed.filter(({ committedAt }) => committedAt >= from && committedAt < to))
  })
}

function latenciesOf(arrivals: readonly (Arrival & { readonly committedAt: number })[]): Latencies {
  const sinceCommit = sorted(arrivals.map(({ committedAt, at }) => at - committedAt))
  const sinceStart = sorted(arrivals.map(({ occurredAt, at }) => at - occurredAt))
  return {
    events: arrivals.length,
    p50: quantile(sinceCommit, 0.5),
    p95: quantile(sinceCommit, 0.95),
    p99: quantile(sinceCommit, 0.99),
    p99FromStart: quantile(sinceStart, 0.99),
  }
}

const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b)
const listed = (rounds: readonly Latencies[]): string => rounds.map(({ p99 }) => p99.toFixed(0)).join(', ')
