import t from 'tap'
import {
  cancelOpen,
  lockEndpoint,
  replayDelivery,
  replayEvents,
  replayMissing,
  revive,
  sendTest,
} from '#features/webhook-delivery/index.ts'
import type { Work } from '#platform/work.ts'
import { systemOrigin } from '#platform/work.ts'
import { harness } from '#test/harness.ts'
import { receiver } from '#test/receiver.ts'
import { recordedEvents } from '#test/recorded-events.ts'
import { until } from '#test/until.ts'
import { addEndpoint, deliveriesOf, placing, reachable, sending } from '#test/webhook-endpoints.ts'

const h = await harness(t, { env: reachable })
const place = await placing(h)
const { organizationId } = h.tenant
const origin = { organizationId, name: 'test', requestId: 'req_test', traceparent: null, log: h.runtime.log }
const write = <T>(run: (work: Work) => Promise<T>) => h.runtime.unitOfWork.write(systemOrigin(origin), run)
const locked = async (work: Work, id: string) => {
  const endpoint = await lockEndpoint(work, id)
  if (!endpoint) throw new Error('no such endpoint')
  return endpoint
}
const everything = { after: 0, upTo: Number.MAX_SAFE_INTEGER, types: null, resourceId: null, limit: 1_000 }
const archive = (id: string) => h.db.query('update webhook_endpoints set archived_at = now() where id = $1', [id])

t.test('a test event reaches the endpoint alone, whatever its state, and is in no list', async (t) => {
  const target = await receiver(t)
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  sending(t, h.runtime)
  for (const [index, state] of ['active', 'disabled'].entries()) {
    await h.db.query('update webhook_endpoints set state = $2 where id = $1', [endpoint.id, state])
    const queued = await write(async (work) => sendTest(work, await locked(work, endpoint.id)))
    await until('it arrived', () => target.received.length === index + 1)
    t.equal(target.received[index]?.headers['webhook-id'], queued.event_id)
    t.match(target.received[index]?.event, { type: 'webhook.test', sequence: 0, data: { endpointId: endpoint.id } })
  }
  t.notOk((await recordedEvents(h)).some(({ type }) => type.startsWith('webhook.')))
  await archive(endpoint.id)
})

t.test('a test that fails is tried once and counts for nothing', async (t) => {
  const target = await receiver(t, 500)
  const endpoint = await addEndpoint(h, target.url)
  sending(t, h.runtime)
  await write(async (work) => sendTest(work, await locked(work, endpoint.id)))
  await until('it is dead', async () => (await deliveriesOf(h, endpoint.id))[0].state === 'dead')
  const { rows } = await h.db.query('select state, consecutive_failures from webhook_endpoints where id = $1', [
    endpoint.id,
  ])
  t.same(rows, [{ state: 'active', consecutive_failures: 0 }])
  t.match(await write((work) => revive(work, endpoint.id)), { deliveries: 0 }, 'and is not redriven')
  await archive(endpoint.id)
})

t.test('a test that arrives at a failing endpoint ends its failing', async (t) => {
  const target = await receiver(t)
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  await h.db.query(
    `update webhook_endpoints set state = 'failing', failing_since = now(), next_probe_at = now() + interval '1 day'
     where id = $1`,
    [endpoint.id],
  )
  await place(1)
  sending(t, h.runtime)
  await write(async (work) => sendTest(work, await locked(work, endpoint.id)))
  await until('what waited arrived too', () => target.received.length === 2)
  t.same(
    target.received.map(({ event }) => event.type),
    ['webhook.test', 'order.placed'],
  )
  await archive(endpoint.id)
})

t.test('one delivery is replayed with the same id and bytes, as a delivery of its own', async (t) => {
  const target = await receiver(t)
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  sending(t, h.runtime)
  await place(1)
  await until('it is written', async () => (await deliveriesOf(h, endpoint.id))[0].state === 'delivered')
  const [original] = await deliveriesOf(h, endpoint.id)
  const again = await write((work) => replayDelivery(work, original.id))
  await until('it arrived again', () => target.received.length === 2)
  t.match(again, { replay_of: original.id, event_id: original.event_id, state: 'pending' })
  const [first, second] = target.received
  t.equal(first?.body, second?.body)
  t.equal(first?.headers['webhook-id'], second?.headers['webhook-id'])
  t.equal(await write((work) => replayDelivery(work, 'dlv_00000000000000000000000000')), undefined)
  await archive(endpoint.id)
})

t.test('a range is replayed whole or as far as it is missing, through filters, piece by piece', async (t) => {
  const target = await receiver(t)
  const late = await addEndpoint(h, 'http://127.0.0.1:1/', { types: ['order.*'], allowedSources: ['amazon'] })
  const orders = await place(3, 'amazon')
  await place(1, 'ebay')
  await h.db.query(`update webhook_deliveries set state = 'cancelled' where endpoint_id = $1`, [late.id])
  const events = (await recordedEvents(h)).filter(({ type }) => type === 'order.placed').slice(-4)
  const after = (events[0]?.sequence ?? 1) - 1
  await h.db.query('update webhook_endpoints set url = $2 where id = $1', [late.id, target.url])
  const range = { ...everything, after }
  const missing = () => write(async (work) => replayMissing(work, await locked(work, late.id), range))
  t.same(
    await missing(),
    { deliveries: 3, lastSequence: null },
    'what was cancelled is due again, of its sources alone',
  )
  t.same(await missing(), { deliveries: 0, lastSequence: null }, 'what is on its way is not missing')
  sending(t, h.runtime)
  await until('all arrived', () => target.received.length === 3)
  await until('and are written', async () =>
    (await deliveriesOf(h, late.id)).every(({ state }) => state === 'delivered'),
  )
  t.same(await missing(), { deliveries: 0, lastSequence: null })
  const replay = (options: Partial<typeof range>) =>
    write(async (work) => replayEvents(work, await locked(work, late.id), { ...range, ...options }))
  t.same(await replay({ limit: 2 }), { deliveries: 2, lastSequence: after + 2 })
  t.same(await replay({ after: after + 2, limit: 2 }), { deliveries: 1, lastSequence: after + 4 })
  t.match(
    await write(async (work) =>
      replayEvents(work, await locked(work, late.id), { ...range, resourceId: String(orders[1]) }),
    ),
    { deliveries: 1 },
  )
  t.match(
    await write(async (work) =>
      replayEvents(work, await locked(work, late.id), { ...range, types: ['order.cancelled'] }),
    ),
    { deliveries: 0 },
  )
  await until('the replays arrived', () => target.received.length === 7)
  await archive(late.id)
})

t.test('what an endpoint is not to have any more is cancelled', async (t) => {
  const endpoint = await addEndpoint(h, 'http://127.0.0.1:1/', { types: ['order.placed'] })
  await place(2)
  t.same(await write((work) => cancelOpen(work, endpoint.id)), { deliveries: 2, hasMore: false })
  t.match(await deliveriesOf(h, endpoint.id), [{ state: 'cancelled' }, { state: 'cancelled' }])
  t.match(await write((work) => revive(work, endpoint.id)), { deliveries: 0 })
})
