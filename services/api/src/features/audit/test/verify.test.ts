import t from 'tap'
import { signCheckpoints, verifyLongRange } from '#features/audit/jobs.ts'
import { newId } from '#platform/id.ts'
import { systemOrigin } from '#platform/work.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { letDie, newestJob, tellDeaths } from '#test/queued-jobs.ts'
import { relay } from '#test/relayed.ts'

const captured = captureLog()
const h = await harness(t, { log: captured.log })
const { organizationId } = h.tenant
const auditor = h.as(h.tenant.key)
const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_t', traceparent: null, log: h.runtime.log })

async function record(count: number): Promise<void> {
  await h.runtime.unitOfWork.write(origin, async (work) => {
    for (let index = 0; index < count; index++) {
      const id = newId('loc')
      work.record({ type: 'location.created', resource: { type: 'location', id, version: 1 }, data: { id } })
    }
  })
  await relay(h)
}
const verify = async (body: object = {}) => (await auditor.post('/v1/audit/verify', body)).body.data
const headOf = async (): Promise<number> => (await verify()).to
const run = () => signCheckpoints.run(jobContext(h.runtime, signCheckpoints.name), {})
const checkpoints = async () => (await auditor.get('/v1/audit/checkpoints?limit=100')).body.data
const alerts = () => captured.take().filter(({ alert }) => alert === 'ledger.tampered')

t.test('an empty ledger verifies', async (t) => {
  t.match(await verify(), { state: 'completed', verified: true, from: 1, to: 0, events: 0, checkpoint: null })
})

t.test('verifies all there is, or a range, and can be read again', async (t) => {
  await record(20)
  const whole = await verify()
  t.match(whole, { verified: true, from: 1, events: whole.to, head: { sequence: whole.to }, firstProblem: null })
  t.match(await verify({ from: 5, to: 9 }), { verified: true, from: 5, to: 9, events: 5, head: { sequence: 9 } })
  t.match(await verify({ from: whole.to }), { verified: true, events: 1, head: whole.head })
  const read = await auditor.get(`/v1/audit/verifications/${whole.id}`)
  t.same(read.body.data, whole)
  const refused = await auditor.post('/v1/audit/verify', { to: whole.to + 1 })
  t.match(refused.body.detail, `The ledger holds the positions 1 to ${whole.to}`)
})

t.test('the job signs what has grown, once, and says so in the log', async (t) => {
  captured.take()
  await run()
  const [first, ...rest] = await checkpoints()
  t.same(rest, [])
  const line = captured.take().find(({ message }) => message === 'ledger checkpoint signed')
  t.match(line, { level: 'info', jws: first.jws, sequence: first.sequence, hash: first.hash, organizationId })
  await relay(h)
  await run()
  t.equal((await checkpoints()).length, 1, 'the event of the checkpoint itself calls for no other')
  await record(1)
  await run()
  t.match((await checkpoints())[0], { number: 2, sequence: await headOf() })
  await relay(h)
  t.match(await verify(), { verified: true, checkpoints: 2, checkpoint: { number: 2 } })
})

t.test('a checkpoint that was kept elsewhere counts when those in the database are gone', async (t) => {
  const [newest] = await checkpoints()
  const kept = { checkpoint: newest.jws }
  t.match(await verify(kept), { verified: true, checkpoints: 3 })
  await h.db.query('create table saved as table ledger_checkpoints')
  await h.db.query('delete from ledger_checkpoints')
  await h.db.query(`update events set hash = sha256('x') where organization_id = $1 and sequence = $2`, [
    organizationId,
    newest.sequence,
  ])
  t.match((await verify({ from: newest.sequence + 1, ...kept })).firstProblem, {
    position: newest.sequence + 1,
    kind: 'checkpointDiffers',
  })
  const hash = Buffer.from(newest.hash, 'hex')
  await h.db.query('update events set hash = $2 where organization_id = $1 and sequence = $3', [
    organizationId,
    hash,
    newest.sequence,
  ])
  await h.db.query('insert into ledger_checkpoints select * from saved')
  await record(2)
  const before = await auditor.post('/v1/audit/verify', { from: newest.sequence + 2, ...kept })
  t.match(before.body, { status: 422, error: { code: 'INVALID_CHECKPOINT' } })
  const stranger = await h.otherTenant()
  const foreign = await h.as(stranger.key).post('/v1/audit/verify', kept)
  t.match(foreign.body, { status: 422, error: { code: 'INVALID_CHECKPOINT' } }, "another tenant's checkpoint")
  t.match(await verify(), { verified: true })
})

t.test('the job signs nothing over what does not verify, and raises an alert', async (t) => {
  await record(3)
  const head = await headOf()
  const count = (await checkpoints()).length
  const change = (hash: string) =>
    h.db.query(`update events set type = $3 where organization_id = $1 and sequence = $2`, [organizationId, head, hash])
  await change('location.updated')
  captured.take()
  await run()
  t.equal((await checkpoints()).length, count)
  t.match(alerts(), [{ level: 'error', organizationId, position: head, kind: 'altered' }])
  await change('location.created')
  await run()
  t.equal((await checkpoints()).length, count + 1)
})

t.test('the oldest event that retention has left follows from the floor', async (t) => {
  const floor = 7
  await h.db.query(
    `update event_heads h set floor_sequence = $2, floor_hash = e.hash from events e
     where h.organization_id = $1 and e.organization_id = $1 and e.sequence = $2`,
    [organizationId, floor],
  )
  for (const table of ['ledger', 'events'])
    await h.db.query(
      `delete from ${table} where organization_id = $1 and id <= (select max(id) from events
       where organization_id = $1 and sequence = $2)`,
      [organizationId, floor],
    )
  await h.db.query('delete from events where organization_id = $1 and sequence <= $2', [organizationId, floor])
  t.match(await verify(), { verified: true, from: floor + 1 })
  const refused = await auditor.post('/v1/audit/verify', { from: floor })
  t.match(refused.body, { status: 422, error: { code: 'RANGE_OUTSIDE_LEDGER' } })
  await h.db.query(`update event_heads set floor_hash = sha256('x') where organization_id = $1`, [organizationId])
  t.match((await verify()).firstProblem, { position: floor + 1, kind: 'altered' })
  await h.db.query(`update event_heads set floor_sequence = 0, floor_hash = null where organization_id = $1`, [
    organizationId,
  ])
  t.match((await verify()).firstProblem, { position: 1, kind: 'missing' }, 'without a floor they are missing')
})

t.test('a long range is verified by a job, and polled', async (t) => {
  const other = await h.otherTenant()
  const client = h.as(other.key)
  const theirs = { ...origin, actor: { ...origin.actor, organizationId: other.organizationId } }
  await h.runtime.unitOfWork.write(theirs, async (work) => {
    for (let index = 0; index < 5_100; index++)
      work.record({
        type: 'location.created',
        resource: { type: 'location', id: 'loc_x', version: 1 },
        data: { index },
      })
  })
  await relay(h)
  const answer = await client.post('/v1/audit/verify', {})
  const { id, state, verified, to } = answer.body.data
  t.match({ status: answer.status, state, verified }, { status: 202, state: 'queued', verified: null })
  t.match(answer.headers.location, new RegExp(`/v1/audit/verifications/${id}$`))
  const work = () =>
    verifyLongRange.run(jobContext(h.runtime, verifyLongRange.name), {
      organizationId: other.organizationId,
      verificationId: id,
    })
  await letDie(h.runtime, h.db, await newestJob(h.db, verifyLongRange.name), verifyLongRange.name)
  await tellDeaths(h.runtime, h.db)
  const failure = { code: 'ORDER_NOT_FOUND', message: 'There is no such order' }
  t.match((await client.get(`/v1/audit/verifications/${id}`)).body.data, { state: 'failed', failure, verified: null })
  t.equal((await client.post('/v1/dead-letters/redrive', { name: verifyLongRange.name })).body.data.redriven, 1)
  await work()
  const completed = (await client.get(`/v1/audit/verifications/${id}`)).body.data
  t.match(completed, { state: 'completed', failure: null, verified: true, events: to, firstProblem: null })
  await work()
  t.same((await client.get(`/v1/audit/verifications/${id}`)).body.data, completed, 'run again it changes nothing')
  await letDie(h.runtime, h.db, await newestJob(h.db, verifyLongRange.name), verifyLongRange.name)
  await tellDeaths(h.runtime, h.db)
  t.same((await client.get(`/v1/audit/verifications/${id}`)).body.data, completed, 'nor does a death after its end')
})
