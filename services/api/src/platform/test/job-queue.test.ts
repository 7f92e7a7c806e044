import { Type } from '@sinclair/typebox'
import t from 'tap'
import { createJobQueue, defineJob } from '#platform/jobs.ts'
import { captureLog } from '#test/captured-log.ts'
import { testConfig } from '#test/config.ts'
import { harness } from '#test/harness.ts'
import { postgresWire } from '#test/postgres-wire.ts'
import { until } from '#test/until.ts'

const { databaseUrl, db } = await harness(t)

t.test('a job queue whose connections have gone silent gives up on them and takes others', async (t) => {
  const wire = await postgresWire(t, databaseUrl)
  const config = testConfig(wire.url, { WORKER_STATEMENT_TIMEOUT_MS: '200' })
  const queue = createJobQueue({ config, log: captureLog().log, jobs: [], supervise: false })
  t.teardown(() => queue.stop())
  await queue.start()
  const attempts = [{ name: 'none', id: '0197a1c4-0000-7000-8000-000000000000', retryCount: 0 }]
  t.equal((await queue.beat(attempts)).size, 0)
  wire.freeze()
  const began = performance.now()
  await t.rejects(queue.beat(attempts), /timeout/i)
  t.ok(performance.now() - began < 3_000)
  wire.mend()
  t.equal((await queue.beat(attempts)).size, 0)
})

t.test('an attempt that was taken over elsewhere ends nothing any more', async (t) => {
  const job = defineJob({ name: 'test.taken', payload: Type.Object({}), run: async () => {} })
  const options = { config: testConfig(databaseUrl), log: captureLog().log, jobs: [job], supervise: false }
  const queue = createJobQueue(options)
  t.teardown(() => queue.stop())
  await queue.start()
  const { boss } = queue
  await boss.send(job.name, {})
  const fetchOne = async () => {
    const [entry] = await boss.fetch(job.name, { includeMetadata: true })
    if (entry === undefined) throw new Error('there is no job')
    return { name: job.name, id: entry.id, retryCount: entry.retryCount }
  }
  const first = await fetchOne()
  await db.query(`update pgboss.job set state = 'retry', start_after = now() where id = $1`, [first.id])
  const second = await fetchOne()
  t.equal(second.retryCount, 1)
  const stored = async () =>
    (await db.query('select state, retry_count, output from pgboss.job where id = $1', [first.id])).rows[0]
  await queue.fail(first, { code: 'LATE', message: 'of a worker that was frozen' })
  t.match(await stored(), { state: 'active', retry_count: 1, output: null })
  await queue.fail(second, { code: 'PLANTED', message: 'planted' })
  t.match(await stored(), { state: 'retry', output: { code: 'PLANTED' } })
})

t.test('a fetch reads what it takes of a backlog PostgreSQL has no statistics of', async (t) => {
  const job = defineJob({ name: 'test.backlog', payload: Type.Object({}), run: async () => {} })
  const options = { config: testConfig(databaseUrl), log: captureLog().log, jobs: [job], supervise: false }
  const queue = createJobQueue(options)
  await queue.start()
  await db.query(
    `insert into pgboss.job_common (name, data, policy) select $1, '{}', 'standard' from generate_series(1, 20000)`,
    [job.name],
  )
  const entriesRead = async (): Promise<number> => {
    const { rows } = await db.query(
      `select idx_tup_read::integer as read from pg_stat_user_indexes where indexrelname = 'job_common_i11'`,
    )
    return rows[0].read
  }
  const before = await entriesRead()
  for (let n = 0; n < 10; n++) t.equal((await queue.boss.fetch(job.name, { batchSize: 8 })).length, 8)
  // A connection tells what it has read when it ends.
  await queue.stop()
  await until('what was read is known', async () => (await entriesRead()) > before)
  // With those of the jobs just taken, which are gone only once their commit is on disk; all waiting would be 200,000.
  const read = (await entriesRead()) - before
  t.ok(read < 1_000, `${read} entries read for 80 jobs`)
})
