import t, { type Test } from 'tap'
import { harness } from '#test/harness.ts'
import { receiver } from '#test/receiver.ts'
import { until } from '#test/until.ts'
import { addEndpoint, deliveriesOf, placing, reachable, sending } from '#test/webhook-endpoints.ts'
import { renewLeases } from '../sending/repository.ts'

const h = await harness(t, { env: reachable })
const place = await placing(h)

/** Somebody holds a row for long, as a replay of many events does; returns what lets go of it. */
async function holding(t: Test, text: string, id: string): Promise<() => Promise<void>> {
  const client = await h.db.connect()
  await client.query('begin')
  await client.query(`${text} for no key update`, [id])
  let isHeld = true
  const letGo = async () => {
    if (isHeld) await client.query('rollback')
    if (isHeld) client.release()
    isHeld = false
  }
  t.teardown(letGo)
  return letGo
}

const archive = (id: string) => h.db.query('update webhook_endpoints set archived_at = now() where id = $1', [id])
const waiting = async (): Promise<number> =>
  (
    await h.db.query(`select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`)
  ).rows[0].count

t.test('failures at an endpoint whose row is held take one connection, and others go on', async (t) => {
  const [bad, good] = [await receiver(t, 500), await receiver(t)]
  const types = ['order.placed']
  const failing = await addEndpoint(h, bad.url, { types, maxConcurrency: 20 })
  const healthy = await addEndpoint(h, good.url, { types })
  const letGo = await holding(t, 'select from webhook_endpoints where id = $1', failing.id)
  sending(t, h.runtime)
  await place(15)
  await until('all were tried', () => bad.received.length >= 15 && good.received.length === 15)
  await until('one waits', async () => (await waiting()) > 0)
  t.equal(await waiting(), 1)
  await place(1)
  await until('the next arrived', () => good.received.length === 16)
  await letGo()
  await until('failures are written', async () =>
    (await deliveriesOf(h, failing.id)).every(({ state }) => state === 'pending'),
  )
  for (const { id } of [failing, healthy]) await archive(id)
})

t.test('an arrival is written although the row of its endpoint is held', async (t) => {
  const target = await receiver(t)
  const { id } = await addEndpoint(h, target.url, { types: ['order.placed'] })
  await h.db.query('update webhook_endpoints set consecutive_failures = 2 where id = $1', [id])
  const failures = async (): Promise<number> =>
    (await h.db.query('select consecutive_failures as n from webhook_endpoints where id = $1', [id])).rows[0].n
  const letGo = await holding(t, 'select from webhook_endpoints where id = $1', id)
  sending(t, h.runtime)
  await place(1)
  await until('it is written', async () => (await deliveriesOf(h, id))[0].state === 'delivered')
  await letGo()
  t.equal(await failures(), 2)
  await place(1)
  await until('the next arrival counts', async () => (await failures()) === 0)
  await archive(id)
})

t.test('leases are renewed but for the one that is being ended, which nobody waits for', async (t) => {
  const { id } = await addEndpoint(h, 'http://127.0.0.1:1/', { types: ['order.placed'] })
  await place(2)
  await h.db.query(
    `update webhook_deliveries set state = 'sending', leased_by = 'w', leased_until = 'epoch' where endpoint_id = $1`,
    [id],
  )
  const [first, second] = await deliveriesOf(h, id)
  await holding(t, 'select from webhook_deliveries where id = $1', first.id)
  await h.runtime.unitOfWork.sweep((db) => renewLeases(db, [first.id, second.id], { worker: 'w', ms: 60_000 }))
  const renewed = (await deliveriesOf(h, id)).map(({ leased_until }) => leased_until.getTime() > Date.now())
  t.same(renewed, [false, true])
})
