import t from 'tap'
import { createJobQueue } from '#platform/jobs.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness, testConfig } from '#test/harness.ts'
import { postgresWire } from '#test/postgres-wire.ts'

const { databaseUrl } = await harness(t)

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
