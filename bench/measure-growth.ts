import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, startApi } from './api.ts'
import type { Catalog } from './catalog.ts'
import { copyOrders } from './copies.ts'
import { copyDatabase, countOrders, dropDatabase, fillOrders, serverUrl } from './databases.ts'
import type { LoadGenerator } from './load/load.ts'
import { placeByApi } from './measure-orders.ts'
import { median } from './statistics.ts'

const clients = 128
const warmUpSeconds = 3
/** Of many orders this many are placed one by one, the rest are copies of them. */
const mostPlaced = 20_000

export interface Growth {
  readonly small: { readonly orders: number; readonly perSecond: number }
  readonly large: { readonly orders: number; readonly perSecond: number }
  /** Median of the ratios of the rounds. */
  readonly ratio: number
}

export interface GrowthPlan {
  /** The database that holds few orders; nobody is connected to it. */
  readonly base: string
  readonly orders: number
  readonly rounds: number
  readonly seconds: number
}

/** The order rate with few and with many orders stored, in turns, each time by a freshly started API. */
export async function measureGrowth(
  bench: Bench,
  cluster: RunningCluster,
  tools: { readonly generator: LoadGenerator; readonly catalog: Catalog; readonly say: (line: string) => void },
  plan: GrowthPlan,
): Promise<Growth> {
  const { base, orders, rounds, seconds } = plan
  const { catalog, say } = tools
  const rateOf = (database: string) => rateWith(bench, cluster, tools, { database, seconds })
  await copyDatabase(cluster, base, 'bench_large')
  const stored = await countOrders(cluster.url('bench_large'))
  const startedAt = performance.now()
  const placed = Math.min(orders, mostPlaced)
  await fillOrders(cluster.url('bench_large'), catalog, placed - stored)
  await copyOrders(cluster.url('bench_large'), Math.round(orders / placed) - 1)
  say(`stored ${orders} orders in ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  // One for each round, since a round alone places more orders than it holds. All are made before the first: a copy ends
  // with a checkpoint, after which the first change of a page is logged with the whole page, and of many orders many are.
  const smallDatabases = Array.from({ length: rounds }, (_, round) => `bench_small_${round + 1}`)
  for (const database of smallDatabases) await copyDatabase(cluster, base, database)
  const [small, large]: [number[], number[]] = [[], []]
  for (const [round, database] of smallDatabases.entries()) {
    const [few, many] = [await rateOf(database), await rateOf('bench_large')]
    small.push(few)
    large.push(many)
    say(`growth ${round + 1} of ${rounds}: ${Math.round(few)} and ${Math.round(many)} orders/s`)
  }
  for (const database of [...smallDatabases, 'bench_large']) await dropDatabase(cluster, database)
  return {
    small: { orders: stored, perSecond: median(small) },
    large: { orders, perSecond: median(large) },
    ratio: median(large.map((rate, round) => rate / (small[round] ?? Number.NaN))),
  }
}

async function rateWith(
  bench: Bench,
  cluster: RunningCluster,
  { generator, catalog }: { readonly generator: LoadGenerator; readonly catalog: Catalog },
  { database, seconds }: { readonly database: string; readonly seconds: number },
): Promise<number> {
  const api = await startApi(bench, serverUrl(cluster, database))
  try {
    const { apiKey, signal } = bench
    const load = { kind: 'orders', url: api.url, apiKey, file: catalog.file, signal } as const
    const target = { load, apiPid: api.pid, postmaster: cluster.child.pid ?? 0, databaseUrl: cluster.url(database) }
    await placeByApi(target, generator, clients, warmUpSeconds)
    const { perSecond } = await placeByApi(target, generator, clients, seconds)
    return perSecond
  } finally {
    await api.stop()
  }
}
