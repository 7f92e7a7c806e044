import { Type } from '@sinclair/typebox'
import t from 'tap'
import { type RunningJobs, runJobs } from '#platform/job-runner.ts'
import { type AnyJob, createJobQueue, deadLetterOf, defineJob, type JobContext } from '#platform/jobs.ts'
import { createUnitOfWork } from '#platform/unit-of-work.ts'
import { systemOrigin } from '#platform/work.ts'
import { captureLog, type LogLine } from '#test/captured-log.ts'
import { testConfig } from '#test/config.ts'
import { harness } from '#test/harness.ts'
import { until } from '#test/until.ts'

const captured = captureLog()
const h = await harness(t)
const { organizationId } = h.tenant
const Payload = Type.Object({ n: Type.Integer() }, { additionalProperties: false })
const handled: Record<string, { n: number; context: JobContext }[]> = {}

/** A job that notes its runs, then does `more`. */
function noting(name: string, more: (n: number, context: JobContext) => Promise<void> = async () => {}) {
  const runs: { n: number; context: JobContext }[] = []
  handled[name] = runs
  return defineJob({
    name,
    payload: Payload,
    async run(context, { n }) {
      runs.push({ n, context })
      await more(n, context)
    },
  })
}

const plain = noting('test.plain', (n, { tenant }) =>
  tenant(organizationId).write(async (work) => {
    const resource = { type: 'location', id: `loc_${n}`, version: 1 }
    work.record({ type: 'location.created', resource, data: {} })
  }),
)
const failing = noting('test.failing', async () => {
  throw new Error('planted failure')
})
const picky = noting('test.picky')
const keyed = { ...noting('test.keyed'), key: ({ n }: { n: number }) => String(n % 10) }
const endless = noting(
  'test.endless',
  (_n, { signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('the signal aborted')))
    }),
)
const scheduled = { ...noting('test.scheduled'), schedule: '0 4 * * *' }
const jobs: readonly AnyJob[] = [plain, failing, picky, keyed, endless, scheduled]

const config = testConfig(h.databaseUrl, { JOB_TIMEOUT_SECONDS: '1' })
const queue = createJobQueue({ config, log: captured.log, jobs, supervise: true })
const unitOfWork = createUnitOfWork({ ...h.runtime, jobs: queue })
await queue.start()
let running: RunningJobs | undefined
t.teardown(async () => {
  await running?.stop()
  await queue.stop()
})

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_jobs', traceparent, log: captured.log })
const enqueue = (job: typeof plain, ...numbers: number[]) =>
  unitOfWork.write(origin, async (work) => {
    for (const n of numbers) await work.enqueue(job, { n })
  })
const stateOf = async (name: string) =>
  (await h.db.query('select state, data from pgboss.job where name = $1 order by created_on, id', [name])).rows
const runsOf = (name: string) => (handled[name] ?? []).map(({ n }) => n)
const linesOf = (name: string) =>
  captured.raw.map((line) => JSON.parse(line) as LogLine).filter((line) => line['job.name'] === name)
const hurry = () => h.db.query(`update pgboss.job set start_after = now() where state = 'retry'`)

t.test('a job exists if, and only if, its work commits', async (t) => {
  await enqueue(plain, 1)
  t.match(await stateOf('test.plain'), [
    { state: 'created', data: { payload: { n: 1 }, requestId: 'req_jobs', traceparent } },
  ])
  const changed = unitOfWork.write(origin, async (work) => {
    await work.enqueue(plain, { n: 2 })
    throw new Error('changed its mind')
  })
  await t.rejects(changed, { message: 'changed its mind' })
  t.equal((await stateOf('test.plain')).length, 1)
})

t.test('a payload that does not match is refused, and the work with it', async (t) => {
  const wrong = { n: 'x' } as unknown as { n: number }
  await t.rejects(
    unitOfWork.write(origin, (work) => work.enqueue(plain, wrong)),
    /payload of job test\.plain/,
  )
  t.equal((await stateOf('test.plain')).length, 1)
})

t.test('while a job with the same key waits, another is not added', async (t) => {
  await enqueue(keyed, 1, 11, 2)
  await enqueue(keyed, 21)
  t.same((await stateOf('test.keyed')).map(({ data }) => data.payload.n).sort(), [1, 2])
  await Promise.all([enqueue(keyed, 31), enqueue(keyed, 41), enqueue(keyed, 3), enqueue(keyed, 13)])
  t.equal((await stateOf('test.keyed')).length, 3)
})

t.test('the worker runs what waits, as the service itself, in the trace it came from', async (t) => {
  await Promise.all([enqueue(failing, 7), enqueue(endless, 1)])
  const data = { payload: { n: 1, extra: true }, requestId: 'req_other', traceparent: null }
  await queue.boss.send('test.picky', data)
  await queue.boss.send('test.scheduled', null)
  running = await runJobs({ ...h.runtime, config, log: captured.log, queue, unitOfWork, jobs })
  await until('the plain job has ended', async () => (await stateOf('test.plain'))[0].state === 'completed')
  t.same(runsOf('test.plain'), [1])
  const { rows } = await h.db.query(`select * from ledger where resource_id = 'loc_1'`)
  t.match(rows, [
    {
      organization_id: organizationId,
      actor: { type: 'system', id: 'test.plain' },
      request_id: 'req_jobs',
      traceparent,
    },
  ])
  const lines = linesOf('test.plain')
  t.same(
    lines.map(({ message }) => message),
    ['job started', 'job ended'],
  )
  for (const line of lines) t.match(line, { level: 'info', requestId: 'req_jobs', 'job.attempt': 1, 'job.id': /.+/ })
  t.type(lines[1]?.durationMs, 'number')
  await until('the keyed jobs have run', () => runsOf('test.keyed').length === 3)
  await until('they have ended', async () => (await stateOf('test.keyed')).every(({ state }) => state === 'completed'))
  await enqueue(keyed, 1)
  await until('a key is free again once its job has run', () => runsOf('test.keyed').length === 4)
})

t.test('a job is tried three times, then it is a dead letter', async (t) => {
  await until('it is in the dead letters', async () => {
    await hurry()
    return (await stateOf(deadLetterOf(failing))).length > 0
  })
  t.same(runsOf('test.failing'), [7, 7, 7])
  t.match(await stateOf(deadLetterOf(failing)), [
    { state: 'created', data: { payload: { n: 7 }, requestId: 'req_jobs' } },
  ])
  const ends = linesOf('test.failing').filter(({ message }) => message !== 'job started')
  t.match(ends, [
    { level: 'warn', 'job.attempt': 1, message: 'job attempt failed', err: { message: 'planted failure' } },
    { level: 'warn', 'job.attempt': 2 },
    { level: 'warn', 'job.attempt': 3, isLast: true },
  ])
  t.equal(ends.length, 3)
})

t.test('a payload that came another way is refused before the job runs', async (t) => {
  await until('it is dead', async () => {
    await hurry()
    return (await stateOf(deadLetterOf(picky))).length > 0
  })
  t.same(runsOf('test.picky'), [])
  const told = linesOf('test.picky').find(({ isLast }) => isLast)
  t.match(told, { requestId: 'req_other', err: { message: /^payload refused/ } })
})

t.test('the time limit aborts the signal and ends the attempt', async (t) => {
  const failed = () => linesOf('test.endless').find(({ level }) => level === 'warn')
  await until('its attempt has failed', () => failed() !== undefined)
  t.equal(handled['test.endless']?.[0]?.context.signal.aborted, true)
  t.match(failed(), { 'job.attempt': 1, err: { message: 'the signal aborted' } })
  await until('it will be tried again', async () => (await stateOf('test.endless'))[0].state !== 'active')
})

t.test('a schedule is kept, in UTC', async (t) => {
  const { rows } = await h.db.query(`select cron, timezone from pgboss.schedule where name = 'test.scheduled'`)
  t.same(rows, [{ cron: '0 4 * * *', timezone: 'UTC' }])
  await until('it runs without an envelope, if its payload allows that', async () => {
    return (await stateOf('test.scheduled')).some(({ state }) => state !== 'created' && state !== 'active')
  })
  const told = linesOf('test.scheduled').find(({ level }) => level === 'warn')
  t.match(told, { requestId: /^req_/, err: { message: /^payload refused/ } })
})
