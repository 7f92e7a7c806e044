import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { versionOf } from '../cluster.ts'
import { run } from '../processes.ts'
import type { Job } from './generator.ts'

/** What a load generator saw. Latencies in milliseconds. */
export interface Seen {
  /** Requests that got the wanted answer. */
  readonly done: number
  readonly seconds: number
  /** Requests that got another one. */
  readonly refused: number
  /** Connections and requests that failed or timed out. */
  readonly broken: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
}

/** What the open loop sees besides: how late it sent what had a free connection, at the 99.9th percentile. */
export interface SeenOpen extends Seen {
  readonly lagMs: number
}

/** `orders`: a file of SKUs; `paths`: a file of paths to GET. */
export interface Load {
  readonly kind: 'orders' | 'paths'
  readonly url: string
  readonly apiKey: string
  readonly file: string
  readonly signal: AbortSignal
}

export interface LoadGenerator {
  readonly name: string
  /** Each client sends its next request when it has the answer to the one before. */
  readonly closed: (load: Load, clients: number, seconds: number) => Promise<Seen>
}

const folder = fileURLToPath(new URL('.', import.meta.url))
const graceMs = 30_000

/** wrk where it can be run, else our own. */
export async function findLoadGenerator(): Promise<LoadGenerator> {
  const version = /^wrk \S+/.exec((await versionOf('wrk', '-v')) ?? '')
  if (version === null) return { name: 'own (Node; wrk is not installed)', closed: closedByNode }
  return { name: version[0], closed: closedByWrk }
}

async function closedByWrk({ kind, url, apiKey, file, signal }: Load, clients: number, seconds: number): Promise<Seen> {
  const script = `${folder}${kind === 'orders' ? 'orders' : 'reads'}.lua`
  const args = ['-t', '1', '-c', String(clients), '-d', String(seconds), '--timeout', '10', '-s', script, url]
  const env = { BENCH_KEY: apiKey, BENCH_FOLDER: folder }
  const timeoutMs = seconds * 1_000 + graceMs
  const said = await run('wrk', [...args, '--', String(randomInt(2 ** 31)), file], { env, timeoutMs, signal })
  const seen = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '') as Seen
  return { ...seen, done: seen.done - seen.refused }
}

const closedByNode = (load: Load, clients: number, seconds: number): Promise<Seen> =>
  generate({ ...jobOf(load), clients, seconds, perSecond: null, warmUpSeconds: 0 }, load.signal)

/** Sends at a constant rate, whatever the answers do; latency counts from when a request should have been sent. */
export const openLoop = (
  load: Load,
  rate: {
    readonly perSecond: number
    readonly seconds: number
    readonly warmUpSeconds: number
    readonly clients: number
  },
): Promise<SeenOpen> => generate({ ...jobOf(load), ...rate }, load.signal)

const jobOf = ({ kind, url, apiKey, file }: Load) => ({ kind, url, apiKey, file })

async function generate(job: Job, signal: AbortSignal): Promise<SeenOpen> {
  const timeoutMs = (job.seconds + job.warmUpSeconds) * 1_000 + graceMs
  const said = await run(process.execPath, [`${folder}generator.ts`, JSON.stringify(job)], { timeoutMs, signal })
  return JSON.parse(said) as SeenOpen
}
