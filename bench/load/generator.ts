import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../statistics.ts'
import { type Connection, connect } from './connection.ts'
import type { SeenOpen } from './load.ts'
import { createRequests } from './requests.ts'

/** What the generator is told, as JSON in its only argument. */
export interface Job {
  readonly kind: 'orders' | 'paths'
  readonly url: string
  readonly apiKey: string
  readonly file: string
  /** Connections; of the open loop the most it opens. */
  readonly clients: number
  readonly seconds: number
  /** Null: a closed loop. */
  readonly perSecond: number | null
  /** Sent before anything is measured. */
  readonly warmUpSeconds: number
}

interface Tally {
  done: number
  refused: number
  broken: number
  readonly latencies: number[]
  readonly lags: number[]
}

const drainMs = 10_000

/** A load generator in a process of its own: prints one line of JSON. */
const job = JSON.parse(process.argv[2] ?? '') as Job
const nextRequest = createRequests(job, readFileSync(job.file, 'utf8').trimEnd().split('\n'))
const wanted = job.kind === 'orders' ? 201 : 200
const tally: Tally = { done: 0, refused: 0, broken: 0, latencies: [], lags: [] }
const connections = await Promise.all(Array.from({ length: job.clients }, () => connect(new URL(job.url))))
const startedAt = performance.now()
await (job.perSecond === null ? closedLoop() : openLoop(job.perSecond))
for (const connection of connections) connection.close()
process.stdout.write(`${JSON.stringify(summary())}\n`)

async function closedLoop(): Promise<void> {
  const end = startedAt + job.seconds * 1_000
  const client = async (connection: Connection) => {
    while (performance.now() < end) await send(connection, performance.now(), true)
  }
  await Promise.all(connections.map(client))
}

/** What is due and finds no free connection waits in line; its time runs from when it was due. */
async function openLoop(perSecond: number): Promise<void> {
  const gap = 1_000 / perSecond
  const measuredFrom = Math.floor(job.warmUpSeconds * perSecond)
  const total = measuredFrom + Math.floor(job.seconds * perSecond)
  const free = [...connections]
  let sent = 0
  const sendDue = (): void => {
    for (let now = performance.now(); sent < total && startedAt + sent * gap <= now; now = performance.now()) {
      // In turn: the server closes connections that are idle for seconds.
      const connection = free.shift()
      if (connection === undefined) return
      const dueAt = startedAt + sent * gap
      const isMeasured = sent++ >= measuredFrom
      if (isMeasured && free.length > 0) tally.lags.push(now - dueAt)
      void send(connection, dueAt, isMeasured).then(() => {
        free.push(connection)
        sendDue()
      })
    }
  }
  // A line that never ends means that the rate is too high: it is cut off and counts as broken.
  const deadline = startedAt + (job.warmUpSeconds + job.seconds) * 1_000 + drainMs
  while ((sent < total || free.length < connections.length) && performance.now() < deadline) {
    sendDue()
    // Woken more often than that, the generator would take what it measures from.
    await sleep(Math.max(0.5, startedAt + sent * gap - performance.now()))
  }
  tally.broken += total - sent + (connections.length - free.length)
}

async function send(connection: Connection, since: number, isMeasured: boolean): Promise<void> {
  try {
    const status = await connection.request(nextRequest())
    if (status !== wanted) tally.refused += 1
    else tally.done += 1
    if (isMeasured) tally.latencies.push(performance.now() - since)
  } catch {
    tally.broken += 1
  }
}

function summary(): SeenOpen {
  const sorted = Float64Array.from(tally.latencies).sort()
  const lags = Float64Array.from(tally.lags).sort()
  return {
    done: tally.done,
    seconds: (performance.now() - startedAt) / 1_000,
    refused: tally.refused,
    broken: tally.broken,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    lagMs: quantile(lags, 0.999),
  }
}
