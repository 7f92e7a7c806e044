import { randomBytes, randomUUID } from 'node:crypto'
import path from 'node:path'
import { nodeOptions } from '../services/api/src/platform/memory.ts'
import { untilReady } from '../services/api/src/start/reachable.ts'
import { type Catalog, orderOf } from './catalog.ts'
import { type NodeService, startNode } from './processes.ts'

export interface Bench {
  /** For logs and files; removed at the end. */
  readonly scratch: string
  readonly signal: AbortSignal
  readonly apiKey: string
  readonly settings: Readonly<Record<string, string>>
}

const unlimited = '100000000'

/** Starts the API as in production: its own process, every check on, the rate limiter counting up to a high limit. */
export async function startApi(bench: Bench, databaseUrl: string): Promise<NodeService> {
  const limits = { RATE_LIMIT_PER_KEY: unlimited, RATE_LIMIT_ANONYMOUS: unlimited }
  const service = await startEntry('server', bench, { HOST: '127.0.0.1', PORT: '0', ...limits }, databaseUrl)
  await untilReady(service.url, bench.signal)
  return service
}

/** Starts a worker as in production. */
export const startWorker = (bench: Bench, databaseUrl: string): Promise<NodeService> =>
  startEntry('worker', bench, {}, databaseUrl)

function startEntry(
  name: 'server' | 'worker',
  bench: Bench,
  more: Readonly<Record<string, string>>,
  databaseUrl: string,
): Promise<NodeService> {
  const env = {
    NODE_ENV: 'production',
    NODE_OPTIONS: nodeOptions,
    NODE_COMPILE_CACHE: path.join(bench.scratch, 'compiled'),
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'info',
    CORS_ORIGINS: 'none',
    SIGNING_SECRET: randomUUID(),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    LEDGER_SIGNING_KEY: randomBytes(32).toString('base64'),
    ...more,
    ...bench.settings,
  }
  const logFile = path.join(bench.scratch, `${name}.log`)
  const program = new URL(`../services/api/src/${name}.ts`, import.meta.url)
  return startNode({ program, env, logFile, signal: bench.signal })
}

/** Places one order and returns its id. */
export function placeOrder(bench: Bench, url: string, catalog: Catalog, numbers: readonly number[]): Promise<string> {
  return post(bench, new URL('/v1/orders', url), orderOf(catalog, numbers))
}

/**
 * Creates something and returns its id.
 * @throws Error unless the answer is 201.
 */
export async function post({ apiKey, signal }: Bench, url: URL, body: object): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`${url.pathname} was answered ${response.status}: ${text}`)
  return (JSON.parse(text) as { data: { id: string } }).data.id
}
