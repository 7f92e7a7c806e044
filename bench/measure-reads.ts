import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Bench } from './api.ts'
import { query } from './cluster.ts'
import type { LoadGenerator } from './load/load.ts'
import { type NodeService, startNode } from './processes.ts'
import { pageSize, type Read } from './service-queries.ts'
import { median } from './statistics.ts'

const clients = 16
const differentOrders = 1_000
const searches = 'lantern heart christmas bag glass wooden vintage candle metal retrospot'.split(' ')

export interface ReadResult {
  readonly read: Read
  readonly apiPerSecond: number
  readonly barePerSecond: number
  /** Median of the ratios of the rounds. */
  readonly ratio: number
}

export interface ReadTargets {
  readonly api: NodeService
  /** For the superuser, and for the login of the service. */
  readonly databaseUrl: string
  readonly serverUrl: string
}

/** Each read of the API beside the same transaction from a bare route, in turns. */
export async function measureReads(
  bench: Bench,
  targets: ReadTargets,
  generator: LoadGenerator,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly ReadResult[]> {
  const bare = await startBare(bench, targets)
  try {
    const results: ReadResult[] = []
    for (const [read, paths] of Object.entries(await pathsOf(targets.databaseUrl)) as [Read, readonly string[]][]) {
      const file = path.join(bench.scratch, `${read}.txt`)
      await writeFile(file, `${paths.join('\n')}\n`)
      await compareAnswers(bench, targets.api.url, bare.url, paths[0] ?? '/')
      const load = (url: string) => ({ kind: 'paths', url, file, apiKey: bench.apiKey, signal: bench.signal }) as const
      const rate = async (url: string, length: number) => {
        const seen = await generator.closed(load(url), clients, length)
        if (seen.refused + seen.broken > 0)
          throw new Error(`${read}: ${seen.refused + seen.broken} answers were not 200`)
        return seen.done / seen.seconds
      }
      for (const { url } of [targets.api, bare]) await rate(url, 1)
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        ours.push(await rate(targets.api.url, seconds))
        theirs.push(await rate(bare.url, seconds))
      }
      const ratio = median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
      results.push({ read, apiPerSecond: median(ours), barePerSecond: median(theirs), ratio })
    }
    return results
  } finally {
    await bare.stop()
  }
}

async function startBare(bench: Bench, { databaseUrl, serverUrl }: ReadTargets): Promise<NodeService> {
  const [organization] = await query<{ id: string }>(databaseUrl, 'select id from organizations')
  const [pool] = await query<{ size: string }>(
    databaseUrl,
    `select greatest(count(*), 10) as size from pg_stat_activity where application_name = 'purser-server'`,
  )
  const env = { DATABASE_URL: serverUrl, ORGANIZATION_ID: organization?.id ?? '', DB_POOL_SIZE: pool?.size ?? '10' }
  const logFile = path.join(bench.scratch, 'bare-server.log')
  return startNode({ program: new URL('bare-server.ts', import.meta.url), env, logFile, signal: bench.signal })
}

async function pathsOf(databaseUrl: string): Promise<Readonly<Record<Read, readonly string[]>>> {
  const orders = await query<{ id: string }>(
    databaseUrl,
    `select id from (select id from orders order by id desc limit 100000) newest order by md5(id) limit ${differentOrders}`,
  )
  return {
    get: orders.map(({ id }) => `/v1/orders/${id}`),
    list: [`/v1/orders?limit=${pageSize}`],
    search: searches.map((word) => `/v1/products?q=${word}&limit=${pageSize}`),
  }
}

/**
 * Both must have found the same first row.
 * @throws Error when they do not, or one of them fails.
 */
async function compareAnswers(bench: Bench, apiUrl: string, bareUrl: string, path: string): Promise<void> {
  const ask = async (url: string) => {
    const headers = { authorization: `Bearer ${bench.apiKey}` }
    const response = await fetch(new URL(path, url), { headers, signal: AbortSignal.timeout(10_000) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${url}${path} answered ${response.status}: ${text}`)
    return JSON.parse(text) as unknown
  }
  const { data } = (await ask(apiUrl)) as { data: { id: string } | readonly { id: string }[] }
  const [rows] = (await ask(bareUrl)) as readonly (readonly { id: string }[])[]
  const ours = [data].flat().map(({ id }) => id)
  const theirs = rows?.slice(0, ours.length).map(({ id }) => id)
  if (ours.length === 0 || ours.join() !== theirs?.join()) throw new Error(`${path}: API and bare route differ`)
}
