import t from 'tap'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { addEndpoint, addSecret } from '#test/webhook-endpoints.ts'
import { forgetDeliveries } from '../jobs.ts'

const h = await harness(t, { env: { WEBHOOK_RETENTION_DAYS: '30' } })
const { organizationId } = h.tenant
const day = 86_400_000
const daysAgo = (days: number): Date => new Date(Date.now() - days * day)
const { id: endpointId } = await addEndpoint(h, 'http://127.0.0.1:1/')
const forget = () => forgetDeliveries.run(jobContext(h.runtime, 'webhooks.forgetOld'), {})
const idsOf = async (table: string): Promise<string[]> =>
  (await h.db.query(`select id from ${table} order by id`)).rows.map(({ id }) => id)
let made = 0

/** A delivery of that age with its attempt, under ids of that time. */
async function delivered(days: number, state = 'delivered') {
  const at = daysAgo(days)
  const { rows } = await h.db.query(
    `with ids as (select left(time_id('dlv', $1), 14) || lpad($2, 16, '0') as delivery,
       left(time_id('wat', $1), 14) || lpad($2, 16, '0') as attempt),
     delivery as (
       insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, state,
         due_at, created_at, delivered_at, leased_by, leased_until)
       select $3, delivery, $4, 'evt_' || $2, 'order.placed', 1, 'ord_1', $5, $1, $1, case when $5 = 'delivered' then $1 end,
         case when $5 = 'sending' then 'w' end, case when $5 = 'sending' then $1 end from ids)
     insert into webhook_attempts (organization_id, id, delivery_id, endpoint_id, number, at, duration_ms)
     select $3, attempt, delivery, $4, 1, $1, 5 from ids returning id, delivery_id`,
    [at, String(made++), organizationId, endpointId, state],
  )
  return { delivery: rows[0].delivery_id as string, attempt: rows[0].id as string }
}

t.test(
  'forgets deliveries after 30 days, attempts with their month, and secrets a day after they signed',
  async (t) => {
    for (const state of ['delivered', 'dead', 'cancelled', 'pending']) await delivered(31, state)
    const underWay = await delivered(31, 'sending')
    const ancient = await delivered(95)
    const young = await delivered(29)
    await addSecret(h, organizationId, endpointId, daysAgo(2))
    await addSecret(h, organizationId, endpointId, daysAgo(0.5))
    await forget()
    t.same(await idsOf('webhook_deliveries'), [underWay.delivery, young.delivery], 'but for one that is on its way')
    const attempts = await idsOf('webhook_attempts')
    t.ok(attempts.includes(young.attempt))
    t.notOk(attempts.includes(ancient.attempt))
    t.equal((await idsOf('webhook_secrets')).length, 2, 'the current secret and the one that has just ended')
    await forget()
    t.same(await idsOf('webhook_attempts'), attempts, 'once more changes nothing')
  },
)

t.test('deletes by batches, however many there are', async (t) => {
  await h.db.query(
    `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, state,
       due_at, created_at)
     select $1, 'dlv_' || lpad(n::text, 26, '0'), $2, 'evt_b' || n, 'order.placed', n, 'ord_1', 'dead', $3, $3
     from generate_series(1, 5100) n`,
    [organizationId, endpointId, daysAgo(40)],
  )
  await forget()
  t.equal((await idsOf('webhook_deliveries')).length, 2)
})
