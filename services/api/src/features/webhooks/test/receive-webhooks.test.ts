import { verifyWebhook, WebhookSignatureError } from '@purser/sdk/webhooks'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { harness } from '#test/harness.ts'
import { type Received, receiver } from '#test/receiver.ts'
import { relay } from '#test/relayed.ts'
import { until } from '#test/until.ts'
import { reachable, sending } from '#test/webhook-endpoints.ts'

const h = await harness(t, { env: reachable })
const client = h.as(h.tenant.key)
await h.tenant.stock([{ sku: 'MUG', onHand: 100 }])
await relay(h)
const target = await receiver(t)
sending(t, h.runtime)
const created = (await client.post('/v1/webhook-endpoints', { url: target.url, types: ['order.placed'] })).body.data
const base = `/v1/webhook-endpoints/${created.id}`

/** What has arrived beyond the first `known`, once there are `count`. */
async function arrived(known: number, count = 1): Promise<Received[]> {
  await until(`${count} arrived`, () => target.received.length >= known + count)
  return target.received.slice(known)
}
const verified = ({ body, headers }: Received, secret: string | string[]) =>
  verifyWebhook({ body, headers }, { secret })

t.test('a test event arrives, signed, and its delivery tells what came of it', async (t) => {
  const { body } = await client.post(`${base}/test`)
  const [received] = await arrived(0)
  t.match(await verified(received as Received, created.secret), { id: body.data.eventId, type: 'webhook.test' })
  const delivery = async () => (await client.get(`/v1/webhook-deliveries/${body.data.id}`)).body.data
  await until('it is written', async () => (await delivery()).state === 'delivered')
  t.match(await delivery(), { attempts: 1, lastStatus: 204, attemptLog: [{ number: 1, status: 204, error: null }] })
})

t.test('while the secret is rotated, both are good; another is not', async (t) => {
  const rotated = (await client.post(`${base}/rotate-secret`)).body.data
  const known = target.received.length
  await client.post(`${base}/test`)
  const [received] = (await arrived(known)) as [Received]
  for (const secret of [created.secret, rotated.secret]) {
    t.match(await verified(received, secret), { type: 'webhook.test' })
    t.match(new Webhook(secret).verify(received.body, received.headers as Record<string, string>), {
      type: 'webhook.test',
    })
  }
  const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
  const refused: unknown = await verified(received, other).catch((error) => error)
  t.ok(WebhookSignatureError.is(refused) && refused.reason === 'noMatch')
})

t.test('an event that is replayed has the same id and bytes', async (t) => {
  const known = target.received.length
  await client.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] })
  await relay(h)
  const [first] = (await arrived(known)) as [Received]
  await client.post(`${base}/replay`, { eventId: first.event.id })
  const [delivery] = (await client.get(`/v1/webhook-deliveries?eventId=${first.event.id}`)).body.data
  const [, second] = (await arrived(known, 2)) as [Received, Received]
  await client.post(`/v1/webhook-deliveries/${delivery.id}/replay`)
  const [, , third] = (await arrived(known, 3)) as [Received, Received, Received]
  for (const again of [second, third]) {
    t.equal(again.body, first.body)
    t.equal(again.headers['webhook-id'], first.headers['webhook-id'])
  }
  t.equal((await client.get(`/v1/events/${first.event.id}`)).data, first.body, 'those of the list of events')
})
