import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { type Bench, placeOrder, startApi, startWorker } from './api.ts'
import { readCatalog } from './catalog.ts'
import { query } from './cluster.ts'
import { createDatabase, serverUrl, untilNumbered, workerUrl } from './databases.ts'
import { cpuOf, cpuOfPostgres } from './processes.ts'

const database = 'bench_events'

export interface RelayThroughput {
  /** Events of the backlog. */
  readonly events: number
  readonly perSecond: number
  /** Processor time per event, in microseconds. */
  readonly workerCpu: number
  readonly postgresCpu: number
}

/** How fast one worker numbers a backlog of placed and confirmed orders, from the first event to the last. */
export async function measureRelay(bench: Bench, cluster: RunningCluster, events: number): Promise<RelayThroughput> {
  const apiKey = await createDatabase(cluster, database)
  const url = cluster.url(database)
  const catalog = await readCatalog(url, bench.scratch)
  const api = await startApi({ ...bench, apiKey }, serverUrl(cluster, database))
  const orderId = await placeOrder({ ...bench, apiKey }, api.url, catalog, [0, catalog.third, 2 * catalog.third])
  await api.stop()
  // The first worker in a cluster goes through the whole ledger, which is another path.
  const first = await startWorker(bench, workerUrl(cluster, database))
  await untilNumbered(url)
  await first.stop()
  await query(url, backlogText, [orderId, events / 2])
  await query(url, 'vacuum (analyze)')
  await query(url, 'checkpoint')

  const postmaster = cluster.child.pid ?? 0
  const [numbered] = [await count(url)]
  const worker = await startWorker(bench, workerUrl(cluster, database))
  while ((await count(url)) === numbered) await sleep(5)
  const [start, before] = [
    performance.now(),
    { done: await count(url), worker: cpuOf(worker.pid), postgres: cpuOfPostgres(postmaster) },
  ]
  while ((await count(url)) < numbered + events) await sleep(20)
  const seconds = (performance.now() - start) / 1_000
  const done = numbered + events - before.done
  const result = {
    events: done,
    perSecond: done / seconds,
    workerCpu: (cpuOf(worker.pid) - before.worker) / done,
    postgresCpu: (cpuOfPostgres(postmaster) - before.postgres) / done,
  }
  await worker.stop()
  return result
}

async function count(url: string): Promise<number> {
  const [row] = await query<{ n: string }>(url, 'select coalesce(sum(sequence), 0) as n from event_heads')
  return Number(row?.n)
}

/** Copies of the two rows of one order, each pair under ids of its own. */
const backlogText = `insert into ledger (organization_id, id, type, occurred_at, actor, request_id, traceparent,
    resource_type, resource_id, resource_version, changed, data)
  select organization_id, left(time_id('evt', clock_timestamp()), 14) || substr(md5(n || type), 1, 16), type, occurred_at,
    actor, request_id, traceparent, resource_type, left(resource_id, 14) || substr(md5(n::text), 1, 16),
    resource_version, changed, data
  from ledger, generate_series(1, $2::integer) n
  where resource_id = $1
  order by n, resource_version`
