import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
await stranger.stock([{ sku: 'THEIRS', onHand: 4 }])

let products = 0
/** The address of a level with this many on hand. */
async function level(onHand: number): Promise<{ sku: string; url: string }> {
  products += 1
  const sku = `SKU-${products}`
  await tenant.stock([{ sku, onHand }])
  return { sku, url: `/v1/stock/${sku}/${tenant.locationId}` }
}
const adjust = (url: string, body: object, headers = {}) => operator.post(`${url}/adjust`, body, headers)
const movementsOf = async (url: string) => (await operator.get(`${url}/movements`)).body.data

t.test('adds to what is on hand and takes from it, each with a movement of its kind', async (t) => {
  const { sku, url } = await level(10)
  const received = await adjust(url, { change: 5, type: 'receipt', reason: 'delivery 7' })
  t.equal(received.status, 200)
  t.match(received.body.data, { onHand: 15, available: 15, version: 2 })
  t.match(received.headers.etag, /^"2\./)
  const damaged = await adjust(url, { change: -2 })
  t.match(damaged.body.data, { onHand: 13, version: 3 })
  t.strictSame((await operator.get(url)).body.data, damaged.body.data)
  t.match(await movementsOf(url), [
    { type: 'adjustment', onHandChange: -2, onHand: 13, reserved: 0, reason: null, orderId: null },
    { type: 'receipt', onHandChange: 5, onHand: 15, reason: 'delivery 7', actor: { type: 'apiKey' } },
    { type: 'adjustment', onHandChange: 10, onHand: 10, actor: { type: 'system', id: 'test' } },
  ])
  const { rows } = await db.query('select type, changed, data from ledger where resource_id = $1 order by id', [
    `${sku}@${tenant.locationId}`,
  ])
  const entry = { type: 'stock.adjusted', changed: ['onHand'] }
  t.match(rows, [entry, { ...entry, data: { onHand: 15 } }, { ...entry, data: { onHand: 13 } }])
})

t.test('may take what is promised already: available turns negative', async (t) => {
  const { sku, url } = await level(5)
  await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku, quantity: 4 }] })
  const { status, body } = await adjust(url, { change: -3 })
  t.equal(status, 200)
  t.match(body.data, { onHand: 2, reserved: 4, available: -2 })
  t.match((await movementsOf(url))[0], { onHandChange: -3, reservedChange: 0, onHand: 2, reserved: 4 })
})

t.test('a change of 0 is fine and writes nothing', async (t) => {
  const { sku, url } = await level(5)
  const before = (await operator.get(url)).body.data
  const answer = await adjust(url, { change: 0 }, { 'if-match': '"1"' })
  t.equal(answer.status, 200)
  t.strictSame(answer.body.data, before)
  t.equal((await movementsOf(url)).length, 1)
  const { rows } = await db.query('select from ledger where resource_id = $1', [`${sku}@${tenant.locationId}`])
  t.equal(rows.length, 1)
  t.same(tally([await adjust(url, { change: 0 }, { 'if-match': '"2"' })]), { '412 PRECONDITION_FAILED': 1 })
})

t.test('never takes more than is on hand', async (t) => {
  const { url } = await level(5)
  const answer = await adjust(url, { change: -6 })
  t.same(tally([answer]), { '409 INSUFFICIENT_ON_HAND': 1 })
  t.equal(answer.body.detail, '5 on hand, 6 to take')
  t.equal((await adjust(url, { change: -5 })).body.data.onHand, 0)
})

t.test('never brings a level above 1,000,000,000', async (t) => {
  const { url } = await level(1)
  t.same(tally([await adjust(url, { change: 1_000_000_000 })]), { '422 STOCK_LIMIT_EXCEEDED': 1 })
  t.equal((await adjust(url, { change: 999_999_999 })).body.data.onHand, 1_000_000_000)
})

t.test('takes If-Match, and refuses a stale one', async (t) => {
  const { url } = await level(5)
  t.same(tally([await adjust(url, { change: 1 }, { 'if-match': '"2"' })]), { '412 PRECONDITION_FAILED': 1 })
  t.equal((await adjust(url, { change: 1 }, { 'if-match': '"1"' })).status, 200)
})

t.test('refuses what does not match the schema', async (t) => {
  const { url } = await level(5)
  for (const body of [{}, { change: 1.5 }, { change: '1' }, { change: 1, type: 'reserve' }, { change: 1, onHand: 3 }])
    t.same(tally([await adjust(url, body)]), { '422 VALIDATION_FAILED': 1 })
})

t.test('needs an Idempotency-Key', async (t) => {
  const { url } = await level(5)
  t.same(tally([await adjust(url, { change: 1 }, { 'idempotency-key': '' })]), { '400 IDEMPOTENCY_KEY_REQUIRED': 1 })
})

t.test('is for holders of stock:write', async (t) => {
  const { url } = await level(5)
  const reader = as(await tenant.keyWith(['stock:read']))
  t.same(tally([await reader.post(`${url}/adjust`, { change: 1 })]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's level as for one that is not kept", async (t) => {
  await tenant.stock([{ sku: 'THEIRS' }])
  const at = async (sku: string, locationId: string) =>
    refusalOf(await adjust(`/v1/stock/${sku}/${locationId}`, { change: 1 }))
  const absent = await at('NOBODYS', newId('loc'))
  t.match(absent, { status: 404, error: { code: 'STOCK_LEVEL_NOT_FOUND' } })
  t.same(await at('THEIRS', stranger.locationId), absent)
  t.same(await at('THEIRS', tenant.locationId), absent, 'the same SKU here is another product')
})

t.test('moves stock once, however often it is retried', async (t) => {
  const { url } = await level(5)
  const key = { 'idempotency-key': randomUUID() }
  const first = await adjust(url, { change: 3 }, key)
  const retries = await Promise.all(Array.from({ length: 20 }, () => persist(() => adjust(url, { change: 3 }, key))))
  for (const retry of retries) t.equal(retry.data, first.data)
  t.equal((await operator.get(url)).body.data.onHand, 8)
  t.same(tally([await adjust(url, { change: 4 }, key)]), { '422 IDEMPOTENCY_KEY_REUSED': 1 })
})

t.test('loses none of fifty adjustments at once', async (t) => {
  const { url } = await level(1_000)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => {
      const key = { 'idempotency-key': randomUUID() }
      return persist(() => adjust(url, { change: index % 2 === 0 ? 7 : -3 }, key))
    }),
  )
  t.same(tally(answers), { 200: 50 })
  t.match((await operator.get(url)).body.data, { onHand: 1_100, version: 51 })
  t.same(new Set(answers.map(({ body }) => body.data.version)).size, 50, 'each saw the level it led to')
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
