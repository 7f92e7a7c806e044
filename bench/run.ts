import os from 'node:os'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, placeOrder, startApi } from './api.ts'
import { type Catalog, readCatalog } from './catalog.ts'
import { query, settingsOf, startBenchCluster } from './cluster.ts'
import { checkBooks, copyDatabase, createDatabase, fillOrders, serverUrl } from './databases.ts'
import { createLimit, findPgbench, type Pgbench } from './limit.ts'
import { findLoadGenerator, type LoadGenerator } from './load/load.ts'
import { measureDelivery } from './measure-delivery.ts'
import { measureRelay } from './measure-events.ts'
import { type Growth, measureGrowth } from './measure-growth.ts'
import { bestOf, measureOpenLoop, measureOrders, placeByApi, type Target } from './measure-orders.ts'
import { measureReads } from './measure-reads.ts'
import type { Options } from './options.ts'
import { memoryOf, type NodeService } from './processes.ts'
import {
  type BenchResult,
  deliveryTable,
  eventsTable,
  growthTable,
  openTable,
  ordersTable,
  readsTable,
} from './report.ts'
import { compareRows } from './rows.ts'

const leastLimitPerSecond = 3_000
const openShare = 0.7
const firstOrders = 1_000
const [base, main] = ['bench_base', 'bench_main'] as const

export interface Context {
  readonly options: Options
  readonly scratch: string
  readonly signal: AbortSignal
  /** Progress. */
  readonly say: (line: string) => void
  /** Results. */
  readonly print: (line: string) => void
  /** Called as soon as there is something to stop; in reverse order at the end. */
  readonly onStop: (stop: () => Promise<unknown>) => void
}

/** Everything the measurements share. */
interface Stage {
  readonly bench: Bench
  readonly cluster: RunningCluster
  readonly catalog: Catalog
  readonly generator: LoadGenerator
  readonly pgbench: Pgbench
}

export async function runBench(context: Context): Promise<{ result: BenchResult; failures: readonly string[] }> {
  const { options, print, say } = context
  const stage = await prepare(context)
  await describe(stage, context)
  const measured = await measureMain(stage, context)
  const growth = await grow(stage, context)
  if (growth !== null) growthTable(growth).forEach(print)
  const { orders, open, reads, memory } = measured
  const limit = bestOf(orders.limit)
  const best = orders.api.at(-1)?.perSecond ?? 0
  const failures =
    limit < leastLimitPerSecond ? [`the limit is ${Math.round(limit)}/s, under ${leastLimitPerSecond}/s`] : []
  if (options.isQuick) say('a quick run checks the tool; its figures mean little')
  const result: BenchResult = {
    perSecond: best,
    limitPerSecond: limit,
    ratio: best / limit,
    growthRatio: growth?.ratio ?? null,
    p999AtSeventyPercentMs: open.p999,
    getRatio: reads.find(({ read }) => read === 'get')?.ratio ?? Number.NaN,
    listRatio: reads.find(({ read }) => read === 'list')?.ratio ?? Number.NaN,
    residentMb: memory.residentMb,
  }
  return { result, failures }
}

/** A cluster, a filled database nobody is connected to, and the tools. */
async function prepare({ options, scratch, signal, say, onStop }: Context): Promise<Stage> {
  const cluster = await startBenchCluster()
  onStop(cluster.stop)
  const url = cluster.url(base)
  const apiKey = await createDatabase(cluster, base)
  const bench: Bench = { scratch, signal, apiKey, settings: options.settings }
  const catalog = await readCatalog(url, scratch)
  const [generator, pgbench] = await Promise.all([findLoadGenerator(), findPgbench(catalog, scratch, signal)])
  const api = await startApi(bench, serverUrl(cluster, base))
  onStop(api.stop)
  const orderId = await placeOrder(bench, api.url, catalog, [0, catalog.third, 2 * catalog.third])
  await api.stop()
  await createLimit(url, orderId)
  say(`storing ${options.orders} orders`)
  // Plans made while the tables are empty stay with a session, and some are a hundred times slower later.
  await fillOrders(url, catalog, firstOrders)
  await fillOrders(url, catalog, options.orders - firstOrders)
  return { bench, cluster, catalog, generator, pgbench }
}

async function describe({ cluster, catalog, generator, pgbench }: Stage, { options, print }: Context): Promise<void> {
  const cpus = os.cpus()
  const memory = Math.round(os.totalmem() / 2 ** 30)
  print(
    `machine:    ${cpus.length} × ${cpus[0]?.model.trim()}, ${memory} GB, load ${os.loadavg()[0]?.toFixed(2)} before`,
  )
  print(`programs:   Node ${process.version}, ${pgbench.version}, load by ${generator.name}`)
  print(`PostgreSQL: ${await settingsOf(serverUrl(cluster, base))}`)
  const set = Object.entries(options.settings).map(([name, value]) => `${name}=${value}`)
  print(`API:        production, defaults${set.length > 0 ? ` but ${set.join(' ')}` : ''}; ${catalog.skus.length} SKUs`)
}

/** The relay by itself: no load generator, no limit. */
export async function runEvents({ options, scratch, signal, print, onStop }: Context, events: number): Promise<void> {
  const cluster = await startBenchCluster()
  onStop(cluster.stop)
  const bench = { scratch, signal, settings: options.settings, apiKey: '' }
  eventsTable(await measureRelay(bench, cluster, events)).forEach(print)
}

/** From the COMMIT of an order to those who hear of it. */
export async function runDelivery({ options, scratch, signal, say, print, onStop }: Context): Promise<void> {
  const cluster = await startBenchCluster({ track_commit_timestamp: 'on' })
  onStop(cluster.stop)
  const bench = { scratch, signal, settings: options.settings, apiKey: '' }
  deliveryTable(await measureDelivery(bench, cluster, options, say)).forEach(print)
}

/** Orders, open loop and reads, on one database and one API process. */
async function measureMain(
  { bench, cluster, catalog, generator, pgbench }: Stage,
  { options, say, print, onStop }: Context,
) {
  await copyDatabase(cluster, base, main)
  const databaseUrl = cluster.url(main)
  const api = await startApi(bench, serverUrl(cluster, main))
  onStop(api.stop)
  const { apiKey, signal } = bench
  const load = { kind: 'orders', url: api.url, apiKey, file: catalog.file, signal } as const
  const target: Target = { load, apiPid: api.pid, postmaster: cluster.child.pid ?? 0, databaseUrl }
  print(`rows:       the limit writes what the API writes: ${await compare(bench, api, catalog, databaseUrl)}`)

  say('warming up')
  await placeByApi(target, generator, 64, Math.min(5, options.seconds))
  const orders = await measureOrders(target, { generator, pgbench }, options, say)
  ordersTable(orders).forEach(print)
  const perSecond = Math.floor(openShare * Math.max(...orders.api.map((result) => result.perSecond)))
  say(`open loop at ${perSecond} orders/s`)
  const open = await measureOpenLoop(target, perSecond, options.openSeconds)
  openTable(open, perSecond).forEach(print)
  const memory = memoryOf(api.pid)
  print(`memory of the API after the load: ${memory.residentMb} MB resident, ${memory.highestMb} MB at its highest`)
  print(`books: ${await checkBooks(databaseUrl)}`)

  say('reads')
  // As after a while of service: pages that hold only committed rows are marked as such.
  await query(databaseUrl, 'vacuum (analyze)')
  const targets = { api, databaseUrl, serverUrl: serverUrl(cluster, main) }
  const reads = await measureReads(bench, targets, generator, { ...options, seconds: Math.ceil(options.seconds / 2) })
  readsTable(reads).forEach(print)
  await api.stop()
  return { orders, open, reads, memory }
}

function compare(bench: Bench, api: NodeService, catalog: Catalog, databaseUrl: string): Promise<string> {
  const numbers = [1, 2, 3].map((nth) => nth * catalog.third - 1)
  const byLimit = async () => {
    const [row] = await query<{ id: string }>(databaseUrl, 'select bench.place_order($1, $2, $3) as id', numbers)
    return row?.id ?? ''
  }
  return compareRows(databaseUrl, () => placeOrder(bench, api.url, catalog, numbers), byLimit)
}

async function grow({ bench, cluster, catalog, generator }: Stage, { options, say }: Context): Promise<Growth | null> {
  const { growthOrders, rounds, seconds } = options
  if (growthOrders === null) return null
  say(`storing ${growthOrders} orders`)
  const plan = { base, orders: growthOrders, rounds, seconds }
  return measureGrowth(bench, cluster, { generator, catalog, say }, plan)
}
