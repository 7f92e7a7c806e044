import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, startApi, startWorker } from './api.ts'
import { readCatalog } from './catalog.ts'
import { createDatabase, serverUrl, workerUrl } from './databases.ts'
import { openLoop } from './load/load.ts'
import { median } from './statistics.ts'
import { type Subscriber, subscribeStream, subscribeWebhooks } from './subscribers.ts'

const database = 'bench_delivery'
const ordersPerSecond = 200
const eventsPerOrder = 2
const warmUpSeconds = 5
const lateMs = 30_000

export interface Delivery {
  readonly to: 'stream' | 'webhook'
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
    await register(api.url, apiKey, webhook.url)
    await arrivalOf([stream, webhook], (await place(warmUpSeconds)).done)
    const results: Delivery[] = []
    for (let round = 1; round <= rounds; round++) {
      const { done, refused, broken } = await place(seconds)
      if (refused + broken > 0) throw new Error(`${refused} orders were refused, ${broken} broke`)
      const [toStream, toWebhook] = await arrivalOf([stream, webhook], done)
      results.push({ to: 'stream', ...summary(toStream) }, { to: 'webhook', ...summary(toWebhook) })
      say(`round ${round} of ${rounds}: ${results.slice(-2).map(({ to, p99 }) => `${to} p99 ${p99} ms`)}`)
    }
    return (['stream', 'webhook'] as const).map((to) => medianOfRounds(results.filter((result) => result.to === to)))
  } finally {
    stream.close()
    await Promise.all([api.stop(), worker.stop()])
    webhook.close()
  }
}

async function register(url: string, apiKey: string, receiver: string): Promise<void> {
  const response = await fetch(new URL('/v1/webhook-endpoints', url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': 'bench-endpoint',
    },
    body: JSON.stringify({ url: receiver, types: ['*'], maxConcurrency: 20 }),
  })
  if (response.status !== 201) throw new Error(`the endpoint was answered ${response.status}: ${await response.text()}`)
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

function summary(latencies: readonly number[] = []): Omit<Delivery, 'to'> {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
  return { events: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

function medianOfRounds(rounds: readonly Delivery[]): Delivery {
  const middle = (name: 'events' | 'p50' | 'p95' | 'p99') => median(rounds.map((round) => round[name]))
  const to = rounds[0]?.to ?? 'stream'
  return { to, events: middle('events'), p50: middle('p50'), p95: middle('p95'), p99: middle('p99') }
}
