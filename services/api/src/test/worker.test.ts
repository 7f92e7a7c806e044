import t, { type Test } from 'tap'
import { harness } from './harness.ts'
import { launch } from './launched.ts'
import { until, untilBlocked } from './until.ts'

const h = await harness(t)
const { organizationId } = h.tenant
await h.tenant.stock([{ sku: 'MUG', onHand: 100 }])
const env = { DATABASE_URL: h.databaseUrl, DB_LOCK_TIMEOUT_MS: '30000' }
const order = { paymentTerms: 'prepaid', lines: [{ sku: 'MUG', quantity: 1 }] }

/** A pending order, locked by somebody else, and the job that is to end it. */
async function blockedJob(t: Test) {
  const { id: orderId } = (await h.as(h.tenant.key).post('/v1/orders', order)).body.data
  await h.db.query(`update orders set expires_at = now() - interval '1 minute' where id = $1`, [orderId])
  const holder = await h.db.connect()
  await holder.query('begin')
  await holder.query('select from orders where id = $1 for update', [orderId])
  const data = { payload: { organizationId, orderId }, requestId: 'req_worker', traceparent: null }
  const jobId = await h.runtime.jobs.boss.send('orders.expire', data)
  let held = true
  const letGo = async () => {
    if (held) await holder.query('rollback')
    if (held) holder.release()
    held = false
  }
  t.teardown(letGo)
  const stateOf = async (table: string, column: string, id: unknown) =>
    (await h.db.query(`select ${column} as state from ${table} where id = $1`, [id])).rows[0].state
  return {
    letGo,
    orderState: () => stateOf('orders', 'status', orderId),
    jobState: () => stateOf('pgboss.job', 'state', jobId),
  }
}

t.test('SIGTERM: the job at work is finished, then the worker ends with 0', async (t) => {
  const job = await blockedJob(t)
  const worker = launch(t, 'worker.ts', { ...env, SHUTDOWN_GRACE_MS: '60000' })
  t.same(await worker.ready, { ready: true })
  await untilBlocked(h.db)
  worker.child.kill('SIGTERM')
  await until('it is stopping', () => worker.log().some(({ message }) => message === 'stopping'))
  await job.letGo()
  t.equal(await worker.ended, 0)
  t.equal(await job.jobState(), 'completed')
  t.equal(await job.orderState(), 'expired')
  const lines = worker.log().filter((line) => line['job.name'] === 'orders.expire')
  t.same(
    lines.map(({ message }) => message),
    ['job started', 'job ended'],
  )
  for (const line of lines) t.match(line, { 'service.name': 'purser-worker', requestId: 'req_worker' })
  t.equal(worker.stderr(), '')
})

t.test('a second signal ends it at once; the job is taken up again later', async (t) => {
  const job = await blockedJob(t)
  const worker = launch(t, 'worker.ts', { ...env, SHUTDOWN_GRACE_MS: '60000' })
  await worker.ready
  await untilBlocked(h.db)
  worker.child.kill('SIGTERM')
  await until('it is stopping', () => worker.log().some(({ message }) => message === 'stopping'))
  worker.child.kill('SIGINT')
  t.equal(await worker.ended, 1)
  t.equal(await job.jobState(), 'active', 'its heartbeat will be missed')
  await job.letGo()
})

t.test('the readiness of the API tells that a worker is there', async (t) => {
  await launch(t, 'worker.ts', env).ready
  await until(
    'it has left its mark, and so has the relay',
    async () => (await h.as().get('/health/ready')).body.status === 'ok',
    60_000,
  )
  const { checks } = (await h.as().get('/health/ready')).body
  t.same(
    checks.map(({ name }: { name: string }) => name),
    ['database', 'migrations', 'worker', 'relay'],
  )
})

t.test('what keeps it from starting is told in one line, with exit code 1', async (t) => {
  const cases: readonly [Record<string, string>, RegExp][] = [
    [{}, /^purser: DATABASE_URL is not set/],
    [{ ...env, JOB_TIMEOUT_SECONDS: '0' }, /^purser: invalid configuration: JOB_TIMEOUT_SECONDS must be >= 1/],
  ]
  const attempt = async ([variables, message]: (typeof cases)[number]) => {
    const worker = launch(t, 'worker.ts', variables)
    t.equal(await worker.ended, 1, message.source)
    t.match(worker.stderr(), message)
    t.equal(worker.stderr().trimEnd().split('\n').length, 1, message.source)
  }
  await Promise.all(cases.map(attempt))
})
