import { Webhook } from 'standardwebhooks'
import t from 'tap'
import type { RecentContents } from '#features/webhook-delivery/index.ts'
import { harness } from '#test/harness.ts'
import { type Received, receiver, statusAnswer } from '#test/receiver.ts'
import { relay } from '#test/relayed.ts'
import { until } from '#test/until.ts'
import { addEndpoint, addSecret, deliveriesOf, placing, reachable, sending } from '#test/webhook-endpoints.ts'

const h = await harness(t, { env: reachable })
const place = await placing(h)
const { organizationId } = h.tenant

const archive = (id: string) => h.db.query('update webhook_endpoints set archived_at = now() where id = $1', [id])

t.test('sends the event as it is, signed with every valid secret, and logs the attempt', async (t) => {
  const target = await receiver(
    t,
    (_received, response) => void response.writeHead(200).end(`thanks\0${'x'.repeat(5_000)}`),
  )
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  const old = await addSecret(h, organizationId, endpoint.id, new Date(Date.now() + 60_000))
  const gone = await addSecret(h, organizationId, endpoint.id, new Date(Date.now() - 60_000))
  sending(t, h.runtime)
  const [orderId] = await place(1)
  await until('it arrived', () => target.received.length === 1)
  const { headers, body, event } = target.received[0] as Received
  t.match(event, { type: 'order.placed', resource: { id: orderId, version: 1 }, data: { id: orderId } })
  t.equal(headers['webhook-id'], event.id)
  t.equal(headers['content-type'], 'application/json')
  t.match(headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  const presented = headers as Record<string, string>
  for (const secret of [endpoint.secret, old]) t.same(new Webhook(secret).verify(body, presented), event)
  t.throws(() => new Webhook(gone).verify(body, presented), 'a secret that has expired signs no more')
  t.equal(String(headers['webhook-signature']).split(' ').length, 2)
  t.throws(() => new Webhook(endpoint.secret).verify(body.replace('order', 'ordre'), presented))
  await until('it is written', async () => (await deliveriesOf(h, endpoint.id))[0].state === 'delivered')
  const [delivery] = await deliveriesOf(h, endpoint.id)
  t.match(delivery, { attempts: 1, last_status: 200, last_error: null, replay_of: null, leased_by: null })
  t.match(delivery.log, [{ number: 1, status: 200, error: null, endpoint_id: endpoint.id }])
  t.equal(delivery.log[0].response_excerpt, `thanks\ufffd${'x'.repeat(1_017)}`)
  await archive(endpoint.id)
})

t.test('the bytes are the same whether the event was numbered here a moment ago or is read', async (t) => {
  const target = await receiver(t)
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  const found: boolean[] = []
  const take: RecentContents['take'] = (...of) => {
    const content = h.runtime.recentContents.take(...of)
    found.push(content !== undefined)
    return content
  }
  sending(t, { ...h.runtime, recentContents: { ...h.runtime.recentContents, take } })
  await place(1)
  await until('it arrived', async () => (await deliveriesOf(h, endpoint.id))[0]?.state === 'delivered')
  await h.db.query(`update webhook_deliveries set state = 'pending', delivered_at = null where endpoint_id = $1`, [
    endpoint.id,
  ])
  await until('it arrived again', () => target.received.length === 2)
  const [first, second] = target.received as [Received, Received]
  t.equal(second.body, first.body)
  t.equal(second.headers.traceparent, first.headers.traceparent)
  t.same(found, [true, false])
  await archive(endpoint.id)
})

t.test('an endpoint hears of what its patterns and sources name, and of nothing about itself', async (t) => {
  const target = await receiver(t)
  const all = await addEndpoint(h, target.url)
  const stock = await addEndpoint(h, target.url, { types: ['stock.*', 'order.cancelled'] })
  const partner = await addEndpoint(h, target.url, { allowedSources: ['amazon'] })
  const disabled = await addEndpoint(h, target.url)
  const other = await h.otherTenant()
  const foreign = await addEndpoint(h, target.url, { organizationId: other.organizationId, types: ['order.*'] })
  await h.db.query(`update webhook_endpoints set state = 'disabled' where id = $1`, [disabled.id])
  await place(1, 'amazon')
  await place(1, 'ebay')
  await place(1)
  await h.tenant.stock([{ sku: 'CUP', onHand: 1 }])
  await relay(h)
  const typesOf = async ({ id }: { id: string }) => (await deliveriesOf(h, id)).map(({ event_type }) => event_type)
  const orders = ['order.placed', 'order.placed', 'order.placed']
  t.same(await typesOf(all), [...orders, 'product.created', 'stock.adjusted'])
  t.same(await typesOf(stock), ['stock.adjusted'])
  t.same(await typesOf(partner), ['order.placed'])
  t.same(await typesOf(disabled), [])
  t.same(await typesOf(foreign), [], "another tenant's events are none of its business")
  for (const { id } of [all, stock, partner, foreign]) await archive(id)
})

t.test('a large event is sent without its data and with a link', async (t) => {
  const target = await receiver(t)
  const endpoint = await addEndpoint(h, target.url, { types: ['order.updated'] })
  sending(t, h.runtime)
  const [id] = await place(1)
  const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'x'.repeat(450)]))
  const changed = await h.as(h.tenant.key).patch(`/v1/orders/${id}`, { metadata }, { 'if-match': '"1"' })
  t.equal(changed.status, 200, changed.text)
  await relay(h)
  await until('it arrived', () => target.received.length === 1)
  const { body, event } = target.received[0] as Received
  t.ok(body.length < 1_000)
  t.match(event, { type: 'order.updated', data: null, link: `/v1/events/${event.id}`, changed: ['metadata'] })
  await archive(endpoint.id)
})

t.test('an endpoint is sent no more at a time than it takes, however many workers there are', async (t) => {
  const target = await receiver(t, (_received, response) => void setTimeout(() => response.writeHead(204).end(), 60))
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'], maxConcurrency: 3 })
  for (let worker = 0; worker < 3; worker++) sending(t, h.runtime)
  await place(20)
  await until('all arrived', () => target.received.length === 20)
  t.equal(target.busiest, 3)
  const ids = new Set(target.received.map(({ event }) => event.id))
  t.equal(ids.size, 20, 'none twice')
  await archive(endpoint.id)
})

t.test(
  'ordered per resource, the next waits until the one before is done, and resources do not wait for each other',
  async (t) => {
    let failures = 2
    const target = await receiver(t, (received, response, request) => {
      const fails = received.event.type === 'order.placed' && failures-- > 0
      statusAnswer(fails ? 500 : 204)(received, response, request)
    })
    const endpoint = await addEndpoint(h, target.url, { types: ['order.*'], ordering: 'perResource' })
    const [first, second] = await place(2)
    for (const id of [first, second]) {
      for (const version of [1, 2])
        await h
          .as(h.tenant.key)
          .patch(`/v1/orders/${id}`, { metadata: { v: String(version) } }, { 'if-match': `"${version}"` })
      await h.as(h.tenant.key).post(`/v1/orders/${id}/cancel`, {}, { 'if-match': '"3"' })
    }
    await relay(h)
    sending(t, h.runtime)
    await until('both first events failed once', () => target.received.length === 2)
    await new Promise((resolve) => setTimeout(resolve, 700))
    t.equal(target.received.length, 2, 'nothing overtakes a delivery that is to be retried')
    await h.db.query('update webhook_deliveries set due_at = now() where endpoint_id = $1', [endpoint.id])
    await until('all arrived', () => target.received.length === 10)
    for (const id of [first, second]) {
      const versions = target.received
        .filter(({ event }) => (event.resource as { id: string }).id === id)
        .map(({ event }) => (event.resource as { version: number }).version)
      t.same(versions, [1, 1, 2, 3, 4])
    }
    await archive(endpoint.id)
  },
)

t.test('what a dead worker had taken is sent by another once its lease has run out', async (t) => {
  const target = await receiver(t)
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  await place(2)
  await h.db.query(
    `update webhook_deliveries set state = 'sending', leased_by = 'dead', leased_until = now() + interval '1 s'
     where endpoint_id = $1`,
    [endpoint.id],
  )
  sending(t, h.runtime)
  await new Promise((resolve) => setTimeout(resolve, 600))
  t.equal(target.received.length, 0, 'not before')
  await until('both arrived', () => target.received.length === 2)
  await archive(endpoint.id)
})

t.test('a worker that stops gives back what it has not sent', async (t) => {
  const target = await receiver(t, () => {})
  const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'] })
  const config = { ...h.runtime.config, SHUTDOWN_GRACE_MS: 200 }
  const sender = sending(t, { ...h.runtime, config })
  await place(1)
  await until('it is on its way', () => target.received.length === 1)
  await sender.stop()
  t.match(await deliveriesOf(h, endpoint.id), [{ state: 'pending', leased_by: null, attempts: 0 }])
  await archive(endpoint.id)
})
