import t from 'tap'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'

const h = await harness(t)
const client = h.as(h.tenant.key)
await h.tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
const url = 'https://hooks.shop.example/purser'
const base = '/v1/webhook-endpoints'
const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }

const createEndpoint = async (body: object = {}): Promise<string> =>
  (await client.post(base, { url, types: ['order.*'], ...body })).body.data.id
const replay = async (id: string, body: object = {}) => (await client.post(`${base}/${id}/replay`, body)).body.data
const deliveriesOf = async (id: string, query = '') =>
  (await client.get(`/v1/webhook-deliveries?endpointId=${id}${query}`)).body.data
const mark = (id: string, state: string) =>
  h.db.query(
    `update webhook_deliveries set state = $2, delivered_at = case when $2 = 'delivered' then now() end where id = $1`,
    [id, state],
  )
/** The events of orders that are placed now, in order. */
async function placed(count: number) {
  const ids = new Set<string>()
  for (let index = 0; index < count; index++) ids.add((await client.post('/v1/orders', order)).body.data.id)
  await relay(h)
  const { rows } = await h.db.query(`select id, sequence::int, type, resource_id from events order by sequence`)
  return rows.filter(({ resource_id }) => ids.has(resource_id))
}

t.test('sends events of the past, of the types the endpoint hears of', async (t) => {
  const [first, ...others] = await placed(3)
  const newest = others.at(-1)
  const id = await createEndpoint()
  const all = await replay(id, { afterSequence: first.sequence - 1 })
  t.same(all, { deliveries: others.length + 1, lastSequence: null, floorSequence: 0 })
  const sent = (await deliveriesOf(id)).reverse()
  t.same(
    sent.map(({ eventId }: { eventId: string }) => eventId),
    [first, ...others].map((event) => event.id),
    'oldest first',
  )
  t.match(sent[0], { state: 'pending', eventType: first.type, sequence: first.sequence, attempts: 0 })
  const range = { afterSequence: first.sequence, upToSequence: newest.sequence - 1 }
  t.equal((await replay(await createEndpoint(), range)).deliveries, others.length - 1)
  t.equal((await replay(await createEndpoint(), { types: ['order.expired'] })).deliveries, 0)
  t.equal((await replay(await createEndpoint({ types: ['stock.low'] }))).deliveries, 0, 'it hears of no orders')
  t.equal((await replay(await createEndpoint(), { resourceId: first.resource_id, types: [first.type] })).deliveries, 1)
})

t.test('sends one event, once for each time it is asked to', async (t) => {
  const [event] = await placed(1)
  const id = await createEndpoint()
  for (const count of [1, 2]) {
    t.equal((await replay(id, { eventId: event.id })).deliveries, 1)
    t.equal((await deliveriesOf(id)).length, count)
  }
  const [again, first] = await deliveriesOf(id)
  t.equal(first.replayOf, null)
  t.equal(again.replayOf, first.id)
  t.equal((await replay(id, { eventId: 'evt_01jd0000000000000000000000' })).deliveries, 0, 'an event there is not')
  const other = await h.otherTenant()
  const theirs = (await h.as(other.key).post(base, { url })).body.data.id
  const foreign = await h.as(other.key).post(`${base}/${theirs}/replay`, { eventId: event.id })
  t.equal(foreign.body.data.deliveries, 0, "another tenant's event is one there is not")
})

t.test('sends only what has not arrived and is not on its way', async (t) => {
  const events = await placed(4)
  const id = await createEndpoint()
  const range = { afterSequence: events[0].sequence - 1 }
  await replay(id, range)
  const [arrived, dead, cancelled, ...waiting] = (await deliveriesOf(id)).reverse()
  await mark(arrived.id, 'delivered')
  await mark(dead.id, 'dead')
  await mark(cancelled.id, 'cancelled')
  const missing = await replay(id, { ...range, onlyMissing: true })
  t.equal(missing.deliveries, 2, 'the dead one and the cancelled one')
  const after = (await deliveriesOf(id)).reverse()
  t.equal(after.length, waiting.length + 3, 'they are the same deliveries')
  t.equal(after[0].state, 'delivered')
  t.ok(after.slice(1).every(({ state }: { state: string }) => state === 'pending'))
  t.equal((await replay(id, { ...range, onlyMissing: true })).deliveries, 0)
})

t.test('repeats one delivery under the same event', async (t) => {
  const [event] = await placed(1)
  const id = await createEndpoint()
  await replay(id, { eventId: event.id })
  const [original] = await deliveriesOf(id)
  await mark(original.id, 'delivered')
  const answer = await client.post(`/v1/webhook-deliveries/${original.id}/replay`)
  t.equal(answer.status, 202, answer.text)
  t.match(answer.body.data, { eventId: event.id, endpointId: id, replayOf: original.id, state: 'pending' })
  t.ok(answer.headers.location?.endsWith(`/v1/webhook-deliveries/${answer.body.data.id}`))
  const key = { 'idempotency-key': 'replay-once' }
  const once = await client.post(`/v1/webhook-deliveries/${original.id}/replay`, undefined, key)
  t.equal((await client.post(`/v1/webhook-deliveries/${original.id}/replay`, undefined, key)).data, once.data)
  t.equal((await deliveriesOf(id)).length, 3)
})

t.test('redrives all that is dead', async (t) => {
  const events = await placed(3)
  const id = await createEndpoint()
  await replay(id, { afterSequence: events[0].sequence - 1 })
  await h.db.query(`update webhook_deliveries set state = 'dead', attempts_left = 0 where endpoint_id = $1`, [id])
  t.ok((await deliveriesOf(id, '&state=dead')).length >= 3)
  const { deliveries } = (await client.post(`${base}/${id}/redrive`)).body.data
  t.equal(deliveries, (await deliveriesOf(id, '&state=pending')).length)
  t.same(await deliveriesOf(id, '&state=dead'), [])
})

t.test('sends nothing to an endpoint that is disabled or deleted, but for a test', async (t) => {
  const [event] = await placed(1)
  const id = await createEndpoint()
  await replay(id, { eventId: event.id })
  const [delivery] = await deliveriesOf(id)
  await client.post(`${base}/${id}/disable`)
  for (const path of [`${base}/${id}/replay`, `${base}/${id}/redrive`, `/v1/webhook-deliveries/${delivery.id}/replay`])
    t.match((await client.post(path, {})).body, { status: 409, error: { code: 'WEBHOOK_ENDPOINT_DISABLED' } }, path)
  const tested = await client.post(`${base}/${id}/test`)
  t.match(tested, { status: 202, body: { data: { eventType: 'webhook.test', sequence: 0, state: 'pending' } } })
  await client.send({ method: 'DELETE', url: `${base}/${id}`, headers: { 'if-match': '*' } })
  const gone = await client.post(`/v1/webhook-deliveries/${delivery.id}/replay`)
  t.match(gone.body, { status: 409, error: { code: 'WEBHOOK_ENDPOINT_DELETED' } })
  t.equal((await client.post(`${base}/${id}/test`)).status, 404)
})
