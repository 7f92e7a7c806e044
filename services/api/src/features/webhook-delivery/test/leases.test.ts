import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { harness } from '#test/harness.ts'
import { receiver } from '#test/receiver.ts'
import { until } from '#test/until.ts'
import { addEndpoint, deliveriesOf, placing, reachable, sending } from '#test/webhook-endpoints.ts'

const h = await harness(t, { env: reachable })
const place = await placing(h)

t.test(
  'a delivery that is long on its way stays with its worker; one of a dead worker is taken over soon',
  async (t) => {
    const target = await receiver(
      t,
      (_received, response) => void sleep(5_500).then(() => response.writeHead(204).end()),
    )
    const endpoint = await addEndpoint(h, target.url, { types: ['order.placed'], maxConcurrency: 1 })
    for (const _ of [1, 2]) sending(t, h.runtime)
    await place(1)
    await until('it is on its way', () => target.received.length === 1)
    const { rows } = await h.db.query(
      `select (extract(epoch from leased_until - clock_timestamp()) * 1000)::int as ms from webhook_deliveries
     where endpoint_id = $1`,
      [endpoint.id],
    )
    t.ok(rows[0].ms <= 4_000, `others wait for ${rows[0].ms} ms when its worker dies`)
    await until('it is written', async () => (await deliveriesOf(h, endpoint.id))[0].state === 'delivered')
    t.equal(target.received.length, 1)
  },
)
