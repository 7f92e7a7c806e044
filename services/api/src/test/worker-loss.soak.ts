import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { idOfUuid, uuidOfId } from '#platform/id.ts'
import { harness } from './harness.ts'
import { launch } from './launched.ts'
import { newestJob, sampleJobName } from './queued-jobs.ts'
import { receiver } from './receiver.ts'
import { until, untilBlocked } from './until.ts'
import { addEndpoint, deliveriesOf, reachable } from './webhook-endpoints.ts'

/** Killed and frozen workers: their jobs go on elsewhere, and a death that nobody saw is told all the same. */
const h = await harness(t)
const { organizationId } = h.tenant
await h.tenant.stock([{ sku: 'MUG', onHand: 100 }])
const { ENCRYPTION_KEY } = h.runtime.config
const env = {
  ...reachable,
  ENCRYPTION_KEY,
  DATABASE_URL: h.databaseUrl,
  DB_LOCK_TIMEOUT_MS: '110000',
  WORKER_STATEMENT_TIMEOUT_MS: '110000',
}
/** 20 s of silence, a look every 10 s, a pause of at most 20 s before the next attempt. */
const takeoverMs = 60_000

/** A job that waits for a row somebody else holds, in its last attempt or its first. */
async function blockedJob(t: Test, isLastAttempt: boolean) {
  const order = { paymentTerms: 'prepaid', lines: [{ sku: 'MUG', quantity: 1 }] }
  const { id: orderId } = (await h.as(h.tenant.key).post('/v1/orders', order)).body.data
  await h.db.query(`update orders set expires_at = now() - interval '1 minute' where id = $1`, [orderId])
  // A connection of its own: two such jobs at a time would use up the pool of the test.
  const holder = new pg.Client({ connectionString: h.databaseUrl })
  holder.on('error', () => {})
  await holder.connect()
  await holder.query('begin')
  await holder.query('select from orders where id = $1 for update', [orderId])
  const data = { payload: { organizationId, orderId }, requestId: 'req_lost', traceparent: null }
  const uuid =
    (await h.runtime.jobs.boss.send(sampleJobName, data, { group: { id: organizationId }, singletonKey: orderId })) ??
    ''
  if (isLastAttempt)
    await h.db.query('update pgboss.job set retry_count = retry_limit - 1, started_on = now() where id = $1', [uuid])
  let isHeld = true
  const letGo = async () => {
    if (isHeld) await holder.query('rollback')
    if (isHeld) await holder.end()
    isHeld = false
  }
  t.teardown(letGo)
  const jobOf = async () =>
    (await h.db.query('select state, retry_count, output from pgboss.job where id = $1', [uuid])).rows[0]
  return { id: idOfUuid('job', uuid), uuid, orderId, letGo, jobOf }
}

t.test('killed: others run its jobs again, and tell of the one whose last attempt it was, once', async (t) => {
  const [last, first] = [await blockedJob(t, true), await blockedJob(t, false)]
  const alerted = await receiver(t)
  // The rows that are held here hold the relay up as well, which is told too.
  const deaths = () => alerted.received.map(({ event }) => event).filter(({ alert }) => alert === 'job.dead')
  const victim = launch(t, 'worker.ts', env)
  await victim.ready
  for (const job of [last, first]) await until('it is at work', async () => (await job.jobOf()).state === 'active')
  await untilBlocked(h.db)
  victim.child.kill('SIGKILL')
  await victim.ended
  const killedAt = performance.now()
  const passed = () => `${((performance.now() - killedAt) / 1_000).toFixed(1)} s`
  t.notOk(
    victim.log().some(({ message }) => message === 'job attempt failed'),
    'no line of its own',
  )
  await first.letGo()
  const others = [1, 2].map(() => launch(t, 'worker.ts', { ...env, ALERT_URL: alerted.url }))
  await Promise.all(others.map(({ ready }) => ready))
  await until('the alert has come', () => deaths().length > 0, takeoverMs)
  t.comment(`| killed in its last attempt → alert: ${passed()}`)
  const told = { alert: 'job.dead', jobId: last.id, jobName: sampleJobName, organizationId, requestId: 'req_lost' }
  t.match(deaths(), [{ ...told, attempts: 3, code: 'WORKER_LOST' }])
  t.match(await last.jobOf(), { state: 'failed' })
  await until('the other job has run', async () => (await first.jobOf()).state === 'completed', takeoverMs)
  t.comment(`| killed → the job has run elsewhere: ${passed()}`)
  t.equal((await first.jobOf()).retry_count, 1)
  const { rows } = await h.db.query(`select data from ledger where type = 'job.dead'`)
  t.match(rows, [{ data: { id: last.id, failure: { code: 'WORKER_LOST' } } }])
  t.equal(deaths().length, 1)
  const lines = others.flatMap((worker) => worker.log()).filter(({ alert }) => alert === 'job.dead')
  t.match(lines, [{ level: 'error', jobId: last.id }])
  const marked = await h.db.query('select started_on from pgboss.job where source_id = $1', [last.uuid])
  t.match(marked.rows, [{ started_on: Date }])
})

t.test('killed while it wrote an export for the last time: that has failed, and a retry completes it', async (t) => {
  const auditor = h.as(h.tenant.key)
  const { id, to } = (await auditor.post('/v1/audit/exports', {})).body.data
  const job = await newestJob(h.db, 'audit.export')
  await h.db.query('update pgboss.job set retry_count = retry_limit - 1, started_on = now() where id = $1', [
    uuidOfId(job),
  ])
  const holder = await h.db.connect()
  await holder.query('begin')
  await holder.query('select from ledger_exports where id = $1 for update', [id])
  const exported = async () => (await auditor.get(`/v1/audit/exports/${id}`)).body.data
  const victim = launch(t, 'worker.ts', env)
  await victim.ready
  await untilBlocked(h.db)
  victim.child.kill('SIGKILL')
  await victim.ended
  await holder.query('rollback')
  holder.release()
  t.match(await exported(), { state: 'queued' })
  await launch(t, 'worker.ts', env).ready
  await until('it has failed', async () => (await exported()).state === 'failed', takeoverMs)
  t.match(await exported(), { failure: { code: 'WORKER_LOST' } })
  t.equal((await auditor.post(`/v1/jobs/${job}/retry`)).status, 200)
  await until('it is completed', async () => (await exported()).state === 'completed')
  t.match(await exported(), { failure: null, events: to })
})

t.test('frozen: another runs its job; back again it writes nothing over', async (t) => {
  const job = await blockedJob(t, false)
  const victim = launch(t, 'worker.ts', env)
  await victim.ready
  await untilBlocked(h.db)
  victim.child.kill('SIGSTOP')
  const frozenAt = performance.now()
  await launch(t, 'worker.ts', env).ready
  await until('the job is no longer its', async () => (await job.jobOf()).state !== 'active', takeoverMs)
  // Now the lock is the frozen worker's, until PostgreSQL ends its idle transaction.
  await job.letGo()
  await until('the other has run it', async () => (await job.jobOf()).state === 'completed', takeoverMs)
  t.comment(`| frozen → the job has run elsewhere: ${((performance.now() - frozenAt) / 1_000).toFixed(1)} s`)
  const stored = await job.jobOf()
  victim.child.kill('SIGCONT')
  const hasLeft = () => victim.log().some(({ message }) => /^job (attempt failed|left)/.test(String(message)))
  await until('it has noticed', hasLeft, takeoverMs)
  await sleep(3_000)
  t.same(await job.jobOf(), stored)
  const { rows } = await h.db.query(`select from ledger where type = 'order.expired' and resource_id = $1`, [
    job.orderId,
  ])
  t.equal(rows.length, 1, 'its effect happened once')
  t.equal(victim.child.exitCode, null)
})

t.test('frozen while sending: another sends; back again its late failure changes nothing', async (t) => {
  const held: ServerResponse[] = []
  const target = await receiver(t, (_received, response) => {
    if (held.length === 0) held.push(response)
    else response.writeHead(204).end()
  })
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  const victim = launch(t, 'worker.ts', env)
  await victim.ready
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
  t.equal((await h.as(h.tenant.key).post('/v1/orders', order)).status, 201)
  await until('it is on its way', () => held.length === 1, takeoverMs)
  victim.child.kill('SIGSTOP')
  const frozenAt = performance.now()
  await launch(t, 'worker.ts', env).ready
  const stored = async () => (await deliveriesOf(h, endpoint.id))[0]
  await until('another has sent it', async () => (await stored()).state === 'delivered', takeoverMs)
  t.comment(`| frozen → sent by another: ${((performance.now() - frozenAt) / 1_000).toFixed(1)} s`)
  t.equal(target.received[0]?.body, target.received[1]?.body, 'the same bytes')
  held[0]?.writeHead(500).end()
  victim.child.kill('SIGCONT')
  await until('the late attempt is in the log', async () => (await stored()).log.length === 2, takeoverMs)
  t.match(await stored(), { state: 'delivered', attempts: 1, last_status: 204, last_error: null, leased_by: null })
  const { rows } = await h.db.query('select state, consecutive_failures from webhook_endpoints where id = $1', [
    endpoint.id,
  ])
  t.same(rows, [{ state: 'active', consecutive_failures: 0 }])
  t.equal(target.received.length, 2)
})

t.test('a job that takes long keeps beating; cancelled, its signal aborts', async (t) => {
  const job = await blockedJob(t, false)
  const worker = launch(t, 'worker.ts', env)
  await worker.ready
  await untilBlocked(h.db)
  const beatOf = async () =>
    (await h.db.query('select heartbeat_on from pgboss.job where id = $1', [job.uuid])).rows[0].heartbeat_on.getTime()
  const first = await beatOf()
  await until('it has beaten twice', async () => (await beatOf()) > first + 7_000, 30_000)
  t.match(await job.jobOf(), { state: 'active', retry_count: 0 })
  const cancelled = await h.as(h.tenant.key).post(`/v1/jobs/${job.id}/cancel`)
  t.match(cancelled.body.data, { state: 'cancelled' })
  const left = () => worker.log().some(({ message }) => message === 'job left: it was cancelled or taken over')
  await until('the worker has left it', left, 15_000)
  await job.letGo()
  t.match(await job.jobOf(), { state: 'cancelled' })
})

t.test('two workers keep a schedule once', async (t) => {
  await h.db.query('delete from pgboss.job; update pgboss.version set cron_on = null')
  const workers = [launch(t, 'worker.ts', env), launch(t, 'worker.ts', env)]
  await Promise.all(workers.map(({ ready }) => ready))
  const counts = async () =>
    (
      await h.db.query(`select s.name, count(j.id)::integer as count from pgboss.schedule s
        left join pgboss.job j on j.name = s.name where s.cron = '* * * * *' group by 1 order by 1`)
    ).rows
  await until('each is due', async () => (await counts()).every(({ count }) => count > 0), 30_000)
  for (const { name, count } of await counts()) t.equal(count, 1, name)
  const { rows } = await h.db.query('select name, count(*)::integer as count from pgboss.schedule group by 1')
  t.ok(rows.length > 3 && rows.every(({ count }) => count === 1))
})
