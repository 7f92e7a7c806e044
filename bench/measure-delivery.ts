import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, post, startApi, startWorker } from './api.ts'
import { readCatalog } from './catalog.ts'
import { createDatabase, serverUrl, workerUrl } from './databases.ts'
import { openLoop } from './load/load.ts'
import { medianOf, quantile } from './statistics.ts'
import { type Subscriber, subscribeStream, subscribeWebhooks } from './subscribers.ts'

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
  /** Milliseconds from the start of the order's transaction, medians over the rounds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/**
 * How long an event takes from the order's transaction to a reader of the stream and to a receiver of webhooks, while
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
  const catalog = await readCatalog(cluster.url(database), bench.scratch)
  const api = await startApi(bench, serverUrl(cluster, database))
  const worker = await startWorker(bench, workerUrl(cluster, database))
  const webhook = await subscribeWebhooks()
  const stream = await subscribeStream(api.url, apiKey)
  const load = { kind: 'orders', url: api.url, apiKey, file: catalog.file, signal: bench.signal } as const
  const place = (forSeconds: number) =>
    openLoop(load, { perSecond: ordersPerSecond, seconds: forSeconds, warmUpSeconds: 0, clients: 64 })
  try {
    await register(bench, api.url, webhook.url)
    await arrivalOf([stream, webhook], (await place(warmUpSeconds)).done)
    const streamed: Latencies[] = []
    const posted: Latencies[] = []
    for (let round = 1; round <= rounds; round++) {
      const { done, refused, broken } = await place(seconds)
      if (refused + broken > 0) throw new Error(`${refused} orders were refused, ${broken} broke`)
      const [toStream, toWebhook] = await arrivalOf([stream, webhook], done)
      streamed.push(summary(toStream))
      posted.push(summary(toWebhook))
      say(`round ${round} of ${rounds}: stream p99 ${streamed.at(-1)?.p99} ms, webhook p99 ${posted.at(-1)?.p99} ms`)
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

/** The latencies of the events of so many orders, at each subscriber. */
async function arrivalOf(subscribers: readonly Subscriber[], orders: number): Promise<readonly (readonly number[])[]> {
  const wanted = orders * eventsPerOrder
  const deadline = Date.now() + lateMs
  while (subscribers.some(({ latencies }) => latencies.length < wanted)) {
    if (Date.now() > deadline)
      throw new Error(
        `of ${wanted} events arrived ${subscribers.map(({ latencies }) => latencies.length).join(' and ')}`,
      )
    await sleep(20)
  }
  return subscribers.map((subscriber) => {
    const seen = [...subscriber.latencies]
    subscriber.reset()
    return seen
  })
}

function summary(latencies: readonly number[] = []): Latencies {
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    events: sorted.length,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
  }
}
