import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { Type } from '@sinclair/typebox'
import { PgBoss } from 'pg-boss'
import { loadConfig } from '../services/api/src/platform/config.ts'
import { newId } from '../services/api/src/platform/id.ts'
import { runJobs } from '../services/api/src/platform/job-runner.ts'
import { createJobQueue, defineJob } from '../services/api/src/platform/jobs.ts'
import { createLogger } from '../services/api/src/platform/logger.ts'
import { createUnitOfWork } from '../services/api/src/platform/unit-of-work.ts'
import { systemOrigin } from '../services/api/src/platform/work.ts'
import { createRuntime } from '../services/api/src/runtime.ts'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { query, startBenchCluster } from './cluster.ts'
import { createDatabase } from './databases.ts'
import type { Context } from './run.ts'
import { median } from './statistics.ts'

const name = 'bench.nothing'
const adders = 16
const [ours, theirs] = ['bench_jobs', 'bench_bare'] as const

/** One side of the comparison: jobs are added while nobody works, then worked off. */
interface Side {
  add(n: number): Promise<unknown>
  /** Starts working; `ended` is called for each job. */
  work(ended: () => void): Promise<() => Promise<unknown>>
}

interface Rates {
  readonly addedPerSecond: number
  readonly runPerSecond: number
}

/** Jobs of Purser beside bare pg-boss in a database of its own, in turns; both run as many at a time. */
export async function measureJobs(context: Context): Promise<void> {
  const { options, print, say, onStop } = context
  const [rounds, count] = options.isQuick ? [1, 1_000] : [9, 2_000]
  const cluster = await startBenchCluster()
  onStop(cluster.stop)
  const sides = [await purserSide(cluster, context), await bareSide(cluster, context)] as const
  for (const side of sides) await measure(side, Math.min(count, 1_000))
  const results: [Rates[], Rates[]] = [[], []]
  for (let round = 1; round <= rounds; round++)
    for (const [index, side] of sides.entries()) {
      const rates = await measure(side, count)
      results[index]?.push(rates)
      say(`round ${round}, ${index === 0 ? 'Purser' : 'pg-boss'}: ${words(rates)}`)
    }
  const ratioOf = (of: (rates: Rates) => number) =>
    median(results[0].map((rates, round) => of(rates) / of(results[1][round] ?? rates)))
  const both = ({ addedPerSecond, runPerSecond }: Rates) => 1 / (1 / addedPerSecond + 1 / runPerSecond)
  print(`jobs: ${rounds} rounds of ${count}, ${adders} adders, ${concurrency()} at a time`)
  for (const [index, who] of ['Purser ', 'pg-boss'].entries()) print(`${who}  ${words(middle(results[index] ?? []))}`)
  print(
    `ratio    added ${ratio(ratioOf((r) => r.addedPerSecond))}, run ${ratio(ratioOf((r) => r.runPerSecond))}, both ${ratio(ratioOf(both))}`,
  )
}

const concurrency = () => loadConfig({}).JOB_CONCURRENCY
const ratio = (value: number) => value.toFixed(2)
const words = ({ addedPerSecond, runPerSecond }: Rates) =>
  `added ${Math.round(addedPerSecond)}/s, run ${Math.round(runPerSecond)}/s`
const middle = (all: readonly Rates[]): Rates => ({
  addedPerSecond: median(all.map((rates) => rates.addedPerSecond)),
  runPerSecond: median(all.map((rates) => rates.runPerSecond)),
})

async function measure(side: Side, count: number): Promise<Rates> {
  let next = 0
  const added = performance.now()
  const add = async () => {
    while (next < count) await side.add(next++)
  }
  await Promise.all(Array.from({ length: adders }, add))
  const started = performance.now()
  let left = count
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const stop = await side.work(() => {
    if (--left === 0) finish()
  })
  await finished
  const ended = performance.now()
  await stop()
  return { addedPerSecond: (count / (started - added)) * 1_000, runPerSecond: (count / (ended - started)) * 1_000 }
}

/** `defineJob`, `work.enqueue` and the runner as the worker uses them, its log in a file. */
async function purserSide(cluster: RunningCluster, { scratch, onStop }: Context): Promise<Side> {
  await createDatabase(cluster, ours)
  const url = cluster.url(ours)
  const [organization] = await query<{ id: string }>(url, 'select id from organizations')
  const organizationId = organization?.id ?? ''
  const config = loadConfig({ DATABASE_URL: url })
  const file = createWriteStream(path.join(scratch, 'worker.log'))
  const log = createLogger(config, 'worker', { write: (line) => void file.write(line) })
  let ended = () => {}
  const job = defineJob({
    name,
    payload: Type.Object({ organizationId: Type.String(), n: Type.Integer() }),
    run: async () => ended(),
  })
  const runtime = createRuntime(config, { process: 'worker', log })
  const queue = createJobQueue({ config, log, jobs: [job], supervise: true })
  const unitOfWork = createUnitOfWork({ ...runtime, jobs: queue })
  await queue.start()
  onStop(async () => {
    await queue.stop()
    await runtime.database.close()
  })
  const origin = systemOrigin({ organizationId, name, requestId: newId('req'), traceparent: null, log })
  return {
    add: (n) => unitOfWork.write(origin, (work) => work.enqueue(job, { organizationId, n })),
    async work(report) {
      ended = report
      const running = await runJobs({ ...runtime, queue, unitOfWork, jobs: [job] })
      return running.stop
    },
  }
}

/** pg-boss as its documentation shows it: a schema and a pool of its own, full batches fetched one after the other. */
async function bareSide(cluster: RunningCluster, { onStop }: Context): Promise<Side> {
  await query(cluster.url('postgres'), `create database ${theirs}`)
  const boss = new PgBoss({ connectionString: cluster.url(theirs), max: 10 })
  boss.on('error', (error) => process.stderr.write(`pg-boss: ${error.message}\n`))
  await boss.start()
  onStop(() => boss.stop({ graceful: false }))
  await boss.createQueue(name, { retryLimit: 2, retryBackoff: true, heartbeatSeconds: 20 })
  const polling = { batchSize: concurrency(), pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
  return {
    add: (n) => boss.send(name, { n }),
    async work(report) {
      await boss.work(name, polling, async (jobs) => jobs.forEach(report))
      return () => boss.offWork(name)
    },
  }
}
