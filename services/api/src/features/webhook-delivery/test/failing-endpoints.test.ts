import t from 'tap'
import { recordedEvents } from '#test/recorded-events.ts'
import { until } from '#test/until.ts'
import { addEndpoint, deliveriesOf, type TestEndpoint } from '#test/webhook-endpoints.ts'
import { scenes } from './scene.ts'

const minute = 60_000
const { h, clock, place, scene, stateOf, settled } = await scenes(t)

/** Lets attempts fail until the endpoint does, by moving the clock past the pauses. */
async function exhaust(endpoint: TestEndpoint): Promise<void> {
  for (const attempts of [1, 2]) {
    await settled(endpoint, attempts)
    clock.forward(2 * minute)
  }
  await until('it is failing', async () => (await stateOf(endpoint)).state === 'failing')
}

t.test('tries three times with pauses, then gives up, tells the ledger and raises alerts', async (t) => {
  const { target, endpoint, alerts } = await scene(t, (_received, response) => void response.writeHead(500).end('no'))
  await place(1)
  await settled(endpoint, 1)
  const [first] = await deliveriesOf(h, endpoint.id)
  const pause = first.due_at - clock.now().getTime()
  t.ok(pause > 8_000 && pause <= 12_000, `second attempt in ${pause} ms`)
  t.match(first, { state: 'pending', attempts: 1, attempts_left: 2, last_status: 500, last_error: null })
  clock.forward(15_000)
  await settled(endpoint, 2)
  const [second] = await deliveriesOf(h, endpoint.id)
  t.ok(second.due_at - clock.now().getTime() > 55_000, 'the third a minute later')
  clock.forward(2 * minute)
  await settled(endpoint, 3)
  await until('both alerts are raised', () => alerts.length === 2)
  t.match(await deliveriesOf(h, endpoint.id), [{ state: 'dead', attempts: 3, attempts_left: 0, version: 1 }])
  t.equal(new Set(target.received.map(({ body }) => body)).size, 1, 'the bytes were the same each time')
  t.equal(new Set(target.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  t.match(await stateOf(endpoint), { state: 'failing', consecutive_failures: 3, version: 2, probe_count: 0 })
  t.same(
    alerts.map(({ alert }) => alert),
    ['webhook.deliveryDead', 'webhook.endpointFailing'],
  )
  t.match(alerts[0], { organizationId: h.tenant.organizationId, endpointId: endpoint.id, status: 500 })
  const told = (await recordedEvents(h)).filter(({ type }) => type.startsWith('webhook.'))
  t.match(told, [
    { type: 'webhook.deliveryDead', data: { endpointId: endpoint.id, state: 'dead', version: 1 } },
    { type: 'webhook.endpointFailing', data: { id: endpoint.id, state: 'failing', version: 2 } },
  ])
})

t.test(
  'a failing endpoint is probed ever more rarely, and the first 2xx redrives all that waited, in order',
  async (t) => {
    const { target, endpoint } = await scene(t, 500)
    const before = await place(2)
    await exhaust(endpoint)
    const sent = target.received.length
    const waiting = await place(2)
    await new Promise((resolve) => setTimeout(resolve, 700))
    t.equal(target.received.length, sent, 'while it is failing nothing new is sent')
    for (const [probe, pause] of [5, 30, 120, 300, 600, 1_440, 1_440].entries()) {
      const { next_probe_at, probe_count } = await stateOf(endpoint)
      t.equal(probe_count, probe)
      const ahead = (next_probe_at - clock.now().getTime()) / minute
      t.ok(ahead > pause - 1 && ahead <= pause, `probe ${probe + 1} after ${ahead} of ${pause} min`)
      clock.forward(pause * minute)
      await until('the probe failed', async () => (await stateOf(endpoint)).probe_count === probe + 1)
      t.equal(target.received.length, sent + probe + 1, 'one at a time')
    }
    target.answer(204)
    clock.forward(1_440 * minute)
    await until('all arrived', async () =>
      (await deliveriesOf(h, endpoint.id)).every(({ state }) => state === 'delivered'),
    )
    t.match(await stateOf(endpoint), {
      state: 'active',
      consecutive_failures: 0,
      failing_since: null,
      next_probe_at: null,
    })
    const arrived = target.received.slice(sent + 7).map(({ event }) => (event.data as { id: string }).id)
    t.same([...new Set(arrived)].sort(), [...before, ...waiting].sort())
    const recovered = (await recordedEvents(h)).filter(({ type }) => type === 'webhook.endpointRecovered')
    t.match(recovered, [{ data: { id: endpoint.id, state: 'active', failingSince: null } }])
  },
)

t.test('many failures in a row open the breaker before any delivery is dead', async (t) => {
  const { target, endpoint, alerts } = await scene(t, 503, { maxConcurrency: 20 })
  await place(12)
  await until('it is failing', async () => (await stateOf(endpoint)).state === 'failing')
  await until('nothing is on its way', async () =>
    (await deliveriesOf(h, endpoint.id)).every(({ state }) => state === 'pending'),
  )
  t.same(
    alerts.map(({ alert }) => alert),
    ['webhook.endpointFailing'],
  )
  const before = target.received.length
  clock.forward(4 * minute)
  await new Promise((resolve) => setTimeout(resolve, 700))
  t.equal(target.received.length, before, 'its deliveries wait for the probe')
})

t.test('the death of a message about webhooks causes no further message', async (t) => {
  const before = (await recordedEvents(h)).length
  const { endpoint } = await scene(t, 500, { types: ['webhook.*'] })
  const other = await addEndpoint(h, 'http://127.0.0.1:1/', { types: ['order.placed'] })
  await place(1)
  await exhaust(other)
  await recordedEvents(h)
  await exhaust(endpoint)
  const told = (await recordedEvents(h)).slice(before).map(({ type }) => type)
  const deaths = told.filter((type) => type === 'webhook.deliveryDead')
  t.equal(deaths.length, 1, 'that of the order alone')
})
