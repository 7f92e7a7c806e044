import t from 'tap'
import { receiver, statusAnswer } from '#test/receiver.ts'
import { until } from '#test/until.ts'
import { addEndpoint, deliveriesOf, sending } from '#test/webhook-endpoints.ts'
import { scenes } from './scene.ts'

const { h, place, scene, stateOf, settled } = await scenes(t)

t.test('410 disables the endpoint, and what waited for it is cancelled', async (t) => {
  let gone = false
  const { endpoint, alerts } = await scene(t, (received, response, request) =>
    statusAnswer(gone ? 410 : 500)(received, response, request),
  )
  await place(1)
  await settled(endpoint, 1)
  gone = true
  await place(1)
  await until('it is disabled', async () => (await stateOf(endpoint)).state === 'disabled')
  t.match(await stateOf(endpoint), { disabled_reason: 'gone', next_probe_at: null, failing_since: null })
  t.match(await deliveriesOf(h, endpoint.id), [{ state: 'cancelled' }, { state: 'cancelled', last_status: 410 }])
  t.match(alerts, [{ alert: 'webhook.endpointDisabled' }])
  await place(1)
  t.equal((await deliveriesOf(h, endpoint.id)).length, 2, 'it hears of nothing more')
})

t.test(
  'Retry-After of 429 and 503 is honoured, up to an hour; of others it is not; no redirect is followed',
  async (t) => {
    const elsewhere = await receiver(t)
    const location = elsewhere.url
    const cases = [
      [429, { 'retry-after': '600' }, 600],
      [503, { 'retry-after': '1800' }, 1_800],
      [503, { 'retry-after': '86400' }, 3_600],
      [503, { 'retry-after': new Date(Date.now() + 900_000).toUTCString() }, 880],
      [500, { 'retry-after': '600' }, 11],
      [429, { 'retry-after': 'soon' }, 11],
      [301, { location }, 11],
      [302, { location }, 11],
      [303, { location }, 11],
      [307, { location }, 11],
      [308, { location }, 11],
    ] as const
    const endpoints: Awaited<ReturnType<typeof addEndpoint>>[] = []
    for (const [status, headers] of cases) {
      const target = await receiver(t, statusAnswer(status, headers))
      endpoints.push(await addEndpoint(h, target.url, { types: ['order.placed'] }))
    }
    const sender = sending(t, h.runtime)
    await place(1)
    for (const endpoint of endpoints) await settled(endpoint, 1)
    await sender.stop()
    for (const [index, [status, headers, seconds]] of cases.entries()) {
      const [row] = await deliveriesOf(h, endpoints[index]?.id ?? '')
      t.equal(row.last_status, status)
      const pause = (row.due_at - Date.parse(row.log[0].at)) / 1_000
      t.ok(Math.abs(pause - seconds) <= 20, `${status} with ${JSON.stringify(headers)}: ${pause} s`)
    }
    t.equal(elsewhere.received.length, 0, 'nothing was sent where redirects point')
  },
)
