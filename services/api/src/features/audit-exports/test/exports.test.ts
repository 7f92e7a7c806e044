import t from 'tap'
import { forgetExports, writeExport } from '#features/audit-exports/jobs.ts'
import { writeChunk } from '#features/audit-exports/write-export.ts'
import type { Clock } from '#platform/clock.ts'
import { newId } from '#platform/id.ts'
import { systemOrigin } from '#platform/work.ts'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { letDie, letWorkerBeLost, newestJob, tellDeaths } from '#test/queued-jobs.ts'
import { relay } from '#test/relayed.ts'

let daysAhead = 0
const clock: Clock = { now: () => new Date(Date.now() + daysAhead * 86_400_000) }
const h = await harness(t, { clock, env: { HANDLER_TIMEOUT_MS: '1000' } })
const { organizationId } = h.tenant
const auditor = h.as(h.tenant.key)
const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_t', traceparent: null, log: h.runtime.log })
const email = 'canary@example.com'
await h.runtime.unitOfWork.write(origin, async (work) => {
  for (let index = 0; index < 600; index++) {
    const id = newId('loc')
    const resource = { type: 'location', id, version: 1 }
    work.record({ type: 'location.created', resource, data: { id, text: 'x'.repeat(2_000) }, personal: { email } })
  }
})
await relay(h)
const head = 603

const ask = async (body: object = {}) => await auditor.post('/v1/audit/exports', body)
const write = (exportId: string) =>
  writeExport.run(jobContext(h.runtime, writeExport.name), { organizationId, exportId })
const read = async (id: string) => (await auditor.get(`/v1/audit/exports/${id}`)).body.data
const content = (id: string) => auditor.get(`/v1/audit/exports/${id}/content`)
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

t.test('answers 202 at once, and is written by a job', async (t) => {
  const checkpoint = (await auditor.post('/v1/audit/checkpoints')).body.data
  const asked = await ask()
  const { id } = asked.body.data
  t.match(asked, { status: 202, body: { data: { state: 'queued', from: 1, to: head, events: 0 } } })
  t.match(asked.headers.location, new RegExp(`/v1/audit/exports/${id}$`))
  t.match((await content(id)).body, { status: 409, error: { code: 'EXPORT_NOT_READY' }, retryable: true })
  await write(id)
  const done = await read(id)
  const answer = await content(id)
  t.match(done, { state: 'completed', events: head, bytes: Buffer.byteLength(answer.text) })
  t.match(answer.headers, {
    'content-type': 'application/jsonl',
    'content-disposition': `attachment; filename="${id}.jsonl"`,
    'cache-control': 'private, no-store',
  })
  const [header, ...events] = linesOf(answer.text)
  t.match(header, { organizationId, from: 1, to: head, previousHash: '0'.repeat(64), checkpoint: checkpoint.jws })
  t.equal(events.length, head)
  t.match(events[10], { sequence: 11, personalDigest: /^[0-9a-f]{64}$/ })
  t.notMatch(answer.text, email, 'personal data stays out')
})

t.test('a range starts from the hash before it', async (t) => {
  const { id } = (await ask({ from: 101, to: 110 })).body.data
  await write(id)
  const [header, ...events] = linesOf((await content(id)).text)
  const hashes = await h.db.query(
    `select encode(hash, 'hex') as hash from events where organization_id = $1 and sequence = 100`,
    [organizationId],
  )
  t.match(header, { from: 101, to: 110, previousHash: hashes.rows[0].hash, checkpoint: null })
  t.same(
    events.map(({ sequence }) => sequence),
    Array.from({ length: 10 }, (_, index) => 101 + index),
  )
})

t.test('taken over midway it goes on behind the last chunk', async (t) => {
  const { id } = (await ask()).body.data
  const step = () => h.runtime.unitOfWork.write(origin, (work) => writeChunk(work, id, 7))
  t.equal(await step(), false)
  const between = await read(id)
  t.match(between, { state: 'queued', events: 250 })
  await Promise.all([write(id), write(id)])
  t.match(await read(id), { state: 'completed', events: head })
  t.same(
    linesOf((await content(id)).text)
      .slice(1)
      .map(({ sequence }) => sequence),
    Array.from({ length: head }, (_, index) => index + 1),
  )
  await write(id)
  await relay(h)
  const told = (await auditor.get(`/v1/events?resource=${id}`)).body.data
  t.match(told, [{ type: 'export.completed', data: { id, state: 'completed' } }], 'told once')
})

t.test('whose worker was lost in the last attempt it has failed, until its job is run again', async (t) => {
  const { id } = (await ask()).body.data
  const job = await newestJob(h.db, writeExport.name)
  await h.runtime.unitOfWork.write(origin, (work) => writeChunk(work, id, 7))
  await letWorkerBeLost(h.runtime, h.db, job, writeExport.name)
  await tellDeaths(h.runtime, h.db)
  const failure = { code: 'WORKER_LOST', message: 'its worker was not heard of any more' }
  const failed = await read(id)
  t.match(failed, { state: 'failed', failure, events: 250, completedAt: null, expiresAt: /^20/ })
  t.match((await content(id)).body, { status: 409, error: { code: 'EXPORT_FAILED' }, retryable: false })
  t.match((await auditor.post(`/v1/jobs/${job}/retry`)).body.data, { state: 'retrying', failure })
  await write(id)
  t.match(await read(id), { state: 'completed', failure: null, events: failed.to, completedAt: /^20/ })
  t.equal(linesOf((await content(id)).text).length, failed.to + 1)
})

t.test('whose job was cancelled it is cancelled, for good', async (t) => {
  const { id } = (await ask()).body.data
  const job = await newestJob(h.db, writeExport.name)
  t.match((await auditor.post(`/v1/jobs/${job}/cancel`)).body.data, { state: 'cancelled' })
  await write(id)
  t.match(await read(id), { state: 'cancelled', failure: null, events: 0, expiresAt: /^20/ })
  t.match((await content(id)).body, { status: 409, error: { code: 'EXPORT_FAILED' } })
})

t.test('is streamed for as long as the reader takes, without a transaction that waits', async (t) => {
  const { id } = (await ask()).body.data
  await write(id)
  const url = await h.app.http.listen({ host: '127.0.0.1', port: 0 })
  const headers = { authorization: `Bearer ${h.tenant.key}`, accept: 'application/jsonl' }
  const response = await fetch(`${url}/v1/audit/exports/${id}/content`, { headers })
  const reader = response.body?.getReader()
  let length = (await reader?.read())?.value?.length ?? 0
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const { rows } = await h.db.query(
    `select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
  )
  t.same(rows, [], 'nothing waits in a transaction')
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) length += part.value.length
  t.equal(length, (await read(id)).bytes, 'after the limit of handling the rest still comes')
})

t.test('belongs to its tenant alone, and to keys that see the whole ledger', async (t) => {
  const { id } = (await ask()).body.data
  await write(id)
  const stranger = h.as((await h.otherTenant()).key)
  for (const url of [`/v1/audit/exports/${id}`, `/v1/audit/exports/${id}/content`])
    t.match((await stranger.get(url)).body, { status: 404, error: { code: 'EXPORT_NOT_FOUND' } })
  const bound = await auditor.post('/v1/api-keys', { name: 'x', scopes: ['audit:read'], allowedSources: ['shop'] })
  const shop = h.as(bound.body.data.secret)
  for (const answer of [
    await shop.post('/v1/audit/exports', {}),
    await shop.post('/v1/audit/verify', {}),
    await shop.get(`/v1/audit/exports/${id}`),
    await shop.get(`/v1/audit/exports/${id}/content`),
  ])
    t.match(answer.body, { status: 403, error: { code: 'WHOLE_LEDGER_ONLY' } })
})

t.test('is forgotten when its time is over, with its chunks', async (t) => {
  const { id } = (await ask()).body.data
  await write(id)
  const { id: lost } = (await ask()).body.data
  await h.runtime.unitOfWork.write(origin, (work) => writeChunk(work, lost, 7))
  await letDie(h.runtime, h.db, await newestJob(h.db, writeExport.name), writeExport.name)
  await tellDeaths(h.runtime, h.db)
  const forget = () => forgetExports.run(jobContext(h.runtime, forgetExports.name), {})
  const chunks = async () =>
    (await h.db.query('select export_id from ledger_export_chunks where export_id = any($1)', [[id, lost]])).rows
  daysAhead = 6
  await forget()
  t.equal(
    new Set((await chunks()).map((row) => row.export_id)).size,
    2,
    'what was not written to its end is kept as long',
  )
  daysAhead = 8
  await forget()
  t.same(await chunks(), [])
  t.equal((await auditor.get(`/v1/audit/exports/${id}`)).status, 404)
  daysAhead = 0
})
