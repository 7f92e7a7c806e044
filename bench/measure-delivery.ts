import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, post, startApi, startWorker } from './api.ts'
import { readCatalog } from './catalog.ts'
import { query } from './cluster.ts'
import { createDatabase, serverUrl, workerUrl } from './databases.ts'
import { openLoop } from './load/load.ts'
import { medianOf, quantile } from './statistics.ts'
import { type Arrival, type Subscriber, subscribeStream, subscribeWebhooks } from './subscribers.ts'

const database = 'bench_delivery'
const ordersPerSecond = 200
const eventsPerOrder = 2
/** Until what runs is compiled: a service that starts with this load answers half as fast for its first seconds. */
const warmUpSeconds = 15
const lateMs = 30_000

export interface Delivery extends Latencies {
  readonly to: 'stream' | 'webhook'
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
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
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
  const webhook = await subscribeWebhooks()
  const stream = await subscribeStream(api.url, apiKey)
  const load = { kind: 'orders', url: api.url, apiKey, file: catalog.file, signal: bench.signal } as const
  const place = (forSeconds: number) =>
    openLoop(load, { perSecond: ordersPerSecond, seconds: forSeconds, warmUpSeconds: 0, clients: 64 })
  try {
    await register(bench, api.url, webhook.url)
    await arrivalsAt([stream, webhook], (await place(warmUpSeconds)).done)
    const streamed: Latencies[] = []
    const posted: Latencies[] = []
    for (let round = 1; round <= rounds; round++) {
      const { done, refused, broken } = await place(seconds)
      if (refused + broken > 0) throw new Error(`${refused} orders were refused, ${broken} broke`)
      const [toStream = [], toWebhook = []] = await arrivalsAt([stream, webhook], done)
      const committed = await readCommits(url, toStream)
      streamed.push(summary(toStream, committed))
      posted.push(summary(toWebhook, committed))
      say(
        `round ${round} of ${rounds}: stream p99 ${streamed.at(-1)?.p99.toFixed(0)} ms, webhook p99 ${posted.at(-1)?.p99.toFixed(0)} ms`,
      )
    }
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
  await post(bench, new URL('/v1/webhook-endpoints', url), { url: receiver, types: ['*'], maxConcurrency: 20 })
}

/** The events of so many orders, at each subscriber. */
async function arrivalsAt(
  subscribers: readonly Subscriber[],
  orders: number,
): Promise<readonly (readonly Arrival[])[]> {
  const wanted = orders * eventsPerOrder
  const deadline = Date.now() + lateMs
  while (subscribers.some(({ arrivals }) => arrivals.length < wanted)) {
    if (Date.now() > deadline)
      throw new Error(`of ${wanted} events arrived ${subscribers.map(({ arrivals }) => arrivals.length).join(' and ')}`)
    await sleep(20)
  }
  return subscribers.map((subscriber) => {
    const seen = [...subscriber.arrivals]
    subscriber.reset()
    return seen
  })
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

function summary(arrivals: readonly Arrival[], committed: ReadonlyMap<string, number>): Latencies {
  const sinceCommit = sorted(arrivals.map(({ id, at }) => at - (committed.get(id) ?? Number.NaN)))
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
