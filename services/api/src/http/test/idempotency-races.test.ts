import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t)
await h.tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
const client = h.as(h.tenant.key)
const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
const place = (key: string, body: object = order) => client.post('/v1/orders', body, { 'idempotency-key': key })

t.test('of fifty requests at once with one key, one takes effect', async (t) => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => place('fifty')))
  const told = new Set(answers.map(({ status, body }) => `${status} ${body.error?.code ?? ''}`.trim()))
  told.delete('409 IDEMPOTENCY_IN_PROGRESS')
  t.same([...told], ['201'])
  for (const { headers } of answers.filter(({ status }) => status === 409)) t.equal(headers['retry-after'], '1')
  t.ok(
    answers.some(({ status }) => status === 409),
    'they did meet',
  )
  const stored = new Set(answers.filter(({ status }) => status === 201).map(({ data }) => data))
  t.equal(stored.size, 1, 'all see the same order')
  const { rows } = await h.db.query('select count(*)::int as orders from orders')
  t.equal(rows[0].orders, 1)
  const { onHand, reserved } = (await client.get(`/v1/stock/MUG/${h.tenant.locationId}`)).body.data
  t.same({ onHand, reserved }, { onHand: 1_000, reserved: 1 })
  t.equal((await place('fifty')).headers['idempotency-replayed'], 'true')
})

t.test('different requests at once with one key: one wins, none is mixed up', async (t) => {
  const quantities = Array.from({ length: 20 }, (_, index) => index + 1)
  const send = (quantity: number) => place('mixed', { ...order, lines: [{ sku: 'MUG', quantity }] })
  const answers = await Promise.all(quantities.map(send))
  const placed = answers.filter(({ status }) => status === 201)
  t.equal(placed.length, 1)
  for (const { body } of answers.filter(({ status }) => status !== 201))
    t.match(body.error.code, /^IDEMPOTENCY_(IN_PROGRESS|KEY_REUSED)$/)
})

t.test('a key in flight elsewhere answers at once that it is in progress', async (t) => {
  const holder = await h.db.connect()
  const { rows } = await h.db.query('select principal_id from api_keys where id = $1', [h.tenant.keyId])
  const scope = `${h.tenant.organizationId} ${rows[0].principal_id} held`
  await holder.query('begin')
  await holder.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [scope])
  const refused = await place('held')
  t.match(refused, { status: 409, body: { retryable: true, error: { code: 'IDEMPOTENCY_IN_PROGRESS' } } })
  t.equal(refused.headers['retry-after'], '1')
  await holder.query('rollback')
  holder.release()
  t.equal((await place('held')).status, 201)
})
