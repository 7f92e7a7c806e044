import { query } from './cluster.ts'
import { countOrders } from './databases.ts'
import type { LimitPhase, Pgbench } from './limit.ts'
import { type Load, type LoadGenerator, openLoop, type Seen, type SeenOpen } from './load/load.ts'
import { cpuOf, cpuOfPostgres } from './processes.ts'
import { medianOf } from './statistics.ts'

export const apiClients = [1, 16, 64, 128] as const
export const limitClients = [1, 8, 16, 32, 64] as const

/** Everything a phase of orders needs. */
export interface Target {
  readonly load: Load
  readonly apiPid: number
  readonly postmaster: number
  /** The database, for its superuser. */
  readonly databaseUrl: string
}

/** One line of the table; latencies in milliseconds, processor time in microseconds per order. */
export interface ApiResult extends Omit<Seen, 'done' | 'seconds' | 'refused' | 'broken'> {
  readonly clients: number
  readonly perSecond: number
  readonly apiCpu: number
  readonly postgresCpu: number
}

export interface LimitResult {
  readonly clients: number
  readonly perSecond: number
  readonly averageMs: number
  readonly postgresCpu: number
}

/** Runs `phase` and returns with it the processor time it took, per thing it did. */
async function withCpu<T extends { readonly done: number }>(
  { apiPid, postmaster }: Pick<Target, 'apiPid' | 'postmaster'>,
  phase: () => Promise<T>,
): Promise<{ seen: T; apiCpu: number; postgresCpu: number }> {
  const before = { api: cpuOf(apiPid), postgres: cpuOfPostgres(postmaster) }
  const seen = await phase()
  const per = (time: number) => time / Math.max(1, seen.done)
  return {
    seen,
    apiCpu: per(cpuOf(apiPid) - before.api),
    postgresCpu: per(cpuOfPostgres(postmaster) - before.postgres),
  }
}

/**
 * One closed loop of orders.
 * @throws Error unless every answer was 201 and the database holds exactly the orders that were answered.
 */
export async function placeByApi(
  target: Target,
  generator: LoadGenerator,
  clients: number,
  seconds: number,
): Promise<ApiResult> {
  const before = await countOrders(target.databaseUrl)
  const { seen, apiCpu, postgresCpu } = await withCpu(target, () => generator.closed(target.load, clients, seconds))
  // wrk ends in the middle of requests: each connection may have one order whose answer it did not wait for.
  await checkCount(target, before, seen, clients)
  const { p50, p95, p99, p999 } = seen
  return { clients, perSecond: seen.done / seen.seconds, p50, p95, p99, p999, apiCpu, postgresCpu }
}

async function checkCount(target: Target, before: number, seen: Seen, unanswered: number): Promise<void> {
  if (seen.refused > 0 || seen.broken > 0)
    throw new Error(
      `${seen.done} orders were placed, but ${seen.refused} answers were not 201 and ${seen.broken} broke`,
    )
  const stored = (await settledCount(target.databaseUrl)) - before
  if (stored < seen.done || stored > seen.done + unanswered)
    throw new Error(`${seen.done} orders were answered 201, and ${stored} are stored`)
}

/** The number of orders once no more come: requests that nobody waits for are carried out all the same. */
async function settledCount(url: string): Promise<number> {
  let last = -1
  for (;;) {
    const [activity] = await query<{ busy: boolean }>(url, busyText)
    const count = await countOrders(url)
    if (count === last && activity?.busy === false) return count
    last = count
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

const busyText = `select exists (
  select from pg_stat_activity where application_name = 'purser-server' and state <> 'idle'
) as busy`

async function placeByLimit(target: Target, pgbench: Pgbench, clients: number, seconds: number): Promise<LimitResult> {
  const before = await countOrders(target.databaseUrl)
  const phase = () => pgbench.run(target.databaseUrl, clients, seconds)
  const { seen, postgresCpu } = await withCpu<LimitPhase>(target, phase)
  const stored = (await countOrders(target.databaseUrl)) - before
  if (stored !== seen.done) throw new Error(`pgbench placed ${seen.done} orders, and ${stored} are stored`)
  return { clients, perSecond: seen.perSecond, averageMs: seen.averageMs, postgresCpu }
}

export interface Orders {
  /** Medians over the rounds, by number of clients. */
  readonly api: readonly ApiResult[]
  readonly limit: readonly LimitResult[]
  /** API at its most clients / best limit, round by round. */
  readonly ratios: readonly number[]
}

/** API and limit take turns, so that whatever else the machine does meets both. */
export async function measureOrders(
  target: Target,
  tools: { readonly generator: LoadGenerator; readonly pgbench: Pgbench },
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  say: (line: string) => void,
): Promise<Orders> {
  const api: ApiResult[] = []
  const limit: LimitResult[] = []
  const ratios: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const ours: ApiResult[] = []
    for (const clients of apiClients) ours.push(await placeByApi(target, tools.generator, clients, seconds))
    const theirs: LimitResult[] = []
    for (const clients of limitClients) theirs.push(await placeByLimit(target, tools.pgbench, clients, seconds))
    ratios.push((ours.at(-1)?.perSecond ?? 0) / bestOf(theirs))
    const rates = (results: readonly { perSecond: number }[]) => results.map((r) => Math.round(r.perSecond)).join(', ')
    say(`round ${round} of ${rounds}: API ${rates(ours)} orders/s, limit ${rates(theirs)} orders/s`)
    api.push(...ours)
    limit.push(...theirs)
  }
  return {
    api: apiClients.map((clients) => medianOf(api.filter((result) => result.clients === clients))),
    limit: limitClients.map((clients) => medianOf(limit.filter((result) => result.clients === clients))),
    ratios,
  }
}

/** The most orders per second; the limit of a lone client is another figure. */
export const bestOf = (results: readonly { readonly clients: number; readonly perSecond: number }[]): number =>
  Math.max(...results.filter(({ clients }) => clients > 1).map(({ perSecond }) => perSecond))

/**
 * Orders arriving at a constant rate; counted to the last one.
 * @throws Error unless every answer was 201 and the database holds exactly as many orders.
 */
export async function measureOpenLoop(target: Target, perSecond: number, seconds: number): Promise<SeenOpen> {
  const before = await countOrders(target.databaseUrl)
  const seen = await openLoop(target.load, { perSecond, seconds, warmUpSeconds: 2, clients: 256 })
  await checkCount(target, before, seen, 0)
  return seen
}
