import t from 'tap'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { addEndpoint, reachable } from '#test/webhook-endpoints.ts'
import { cancelRest, reviveRest } from '../backlog.ts'

const h = await harness(t, { env: reachable })
const client = h.as(h.tenant.key)
const { organizationId } = h.tenant
const base = '/v1/webhook-endpoints'

/** An endpoint with `count` deliveries, an hour old, and a test of the same state. */
async function endpointWith(count: number, state: 'pending' | 'dead'): Promise<string> {
  const { id } = await addEndpoint(h, 'https://hooks.shop.example/')
  await h.db.query(
    `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, state,
      payload, attempts_left, due_at, created_at)
    select $1, 'dlv_' || right($2, 16) || lpad(n::text, 10, '0'), $2, 'evt_' || n, 'order.placed', n, 'ord_' || n, $4,
      case when n = 0 then '{}' end, case $4 when 'dead' then 0 else 3 end, now(), now() - interval '1 hour'
    from generate_series(0, $3::int) n`,
    [organizationId, id, count, state],
  )
  return id
}

/** How many deliveries of the endpoint there are in each state, the test apart. */
async function statesOf(endpointId: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await h.db.query(
    `select state, count(*)::int as count from webhook_deliveries where endpoint_id = $1 and payload is null group by state`,
    [endpointId],
  )
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

const testOf = async (endpointId: string): Promise<string> =>
  (
    await h.db.query('select state from webhook_deliveries where endpoint_id = $1 and payload is not null', [
      endpointId,
    ])
  ).rows[0].state

const runRest = (job: typeof cancelRest, endpointId: string) =>
  job.run(jobContext(h.runtime, job.name), { organizationId, endpointId })

const queued = async (job: typeof cancelRest, endpointId: string): Promise<number> =>
  (await h.runtime.jobs.boss.findJobs(job.name, { key: endpointId, queued: true })).length

t.test('an endpoint for which much waits is disabled at once, and enabled when all of that has ended', async (t) => {
  const id = await endpointWith(3_500, 'pending')
  t.match(await client.post(`${base}/${id}/disable`), { status: 200, body: { data: { state: 'disabled' } } })
  t.same(await statesOf(id), { pending: 2_500, cancelled: 1_000 })
  t.equal(await queued(cancelRest, id), 1)
  t.equal((await client.post(`${base}/${id}/disable`)).body.data.version, 2)
  t.same(await statesOf(id), { pending: 1_500, cancelled: 2_000 }, 'asked once more it goes on')
  t.equal(await queued(cancelRest, id), 1)
  const early = await client.post(`${base}/${id}/enable`)
  t.match(early, { status: 409, body: { retryable: true, error: { code: 'WEBHOOK_BACKLOG_REMAINS' } } })
  t.equal(early.headers['retry-after'], '5')
  t.match((await client.get(`${base}/${id}`)).body.data, { state: 'disabled' })
  t.equal(await testOf(id), 'cancelled')
  const test = await client.post(`${base}/${id}/test`)
  await runRest(cancelRest, id)
  t.same(await statesOf(id), { cancelled: 3_500 })
  const read = await client.get(`/v1/webhook-deliveries/${test.body.data.id}`)
  t.equal(read.body.data.state, 'pending', 'a test is sent whatever the state')
  t.match(await client.post(`${base}/${id}/enable`), { status: 200, body: { data: { state: 'active' } } })
})

t.test('what waits after an endpoint was enabled again is not cancelled', async (t) => {
  const id = await endpointWith(1_500, 'pending')
  await client.post(`${base}/${id}/disable`)
  await h.db.query(`update webhook_endpoints set state = 'active', disabled_reason = null where id = $1`, [id])
  await runRest(cancelRest, id)
  t.same(await statesOf(id), { pending: 500, cancelled: 1_000 })
})

t.test('nothing is left of what waited for an endpoint that is deleted', async (t) => {
  const id = await endpointWith(2_000, 'pending')
  const { headers } = await client.get(`${base}/${id}`)
  const request = { method: 'DELETE', url: `${base}/${id}`, headers: { 'if-match': String(headers.etag) } } as const
  t.equal((await client.send(request)).status, 204)
  t.equal(await testOf(id), 'cancelled')
  await runRest(cancelRest, id)
  t.same(await statesOf(id), { cancelled: 2_000 })
})

t.test('many dead deliveries are redriven in the order of their events', async (t) => {
  const id = await endpointWith(2_500, 'dead')
  const answer = await client.post(`${base}/${id}/redrive`)
  t.match(answer, { status: 200, body: { data: { deliveries: 1_000, hasMore: true } } })
  const { rows } = await h.db.query(
    `select max(sequence)::int as last, bool_and(attempts_left = 3 and due_at = created_at) as anew
    from webhook_deliveries where endpoint_id = $1 and state = 'pending'`,
    [id],
  )
  t.same(rows, [{ last: 1_000, anew: true }], 'the first of them, with all attempts')
  t.equal(await queued(reviveRest, id), 1)
  await runRest(reviveRest, id)
  t.same(await statesOf(id), { pending: 2_500 })
  t.equal(await testOf(id), 'dead')
  t.match((await client.post(`${base}/${id}/redrive`)).body.data, { deliveries: 0, hasMore: false })
})

t.test('a job that has to end is not taken for done', async (t) => {
  const id = await endpointWith(2_500, 'dead')
  const stop = new AbortController()
  const context = { ...jobContext(h.runtime, reviveRest.name), signal: stop.signal }
  stop.abort(new Error('the worker stopped'))
  await t.rejects(reviveRest.run(context, { organizationId, endpointId: id }), { message: 'the worker stopped' })
  t.same(await statesOf(id), { pending: 1_000, dead: 1_500 })
})
