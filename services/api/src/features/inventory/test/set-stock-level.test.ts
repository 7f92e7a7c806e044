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
/** The address of a level that is not kept yet. */
async function freshLevel(): Promise<{ sku: string; url: string }> {
  products += 1
  const sku = `SKU-${products}`
  await tenant.stock([{ sku }])
  return { sku, url: `/v1/stock/${sku}/${tenant.locationId}` }
}
const movementsOf = async (sku: string) =>
  (await operator.get(`/v1/stock/${encodeURIComponent(sku)}/${tenant.locationId}/movements`)).body.data
const entriesOf = async (sku: string) =>
  (await db.query('select * from ledger where resource_id = $1 order by id', [`${sku}@${tenant.locationId}`])).rows

t.test('opens a level, with a movement of all there is', async (t) => {
  const { sku, url } = await freshLevel()
  const { status, body, headers } = await operator.put(url, { onHand: 120, safetyStock: 20, reason: 'first count' })
  t.equal(status, 200)
  const { data } = body
  t.strictSame(data, {
    sku,
    locationId: tenant.locationId,
    onHand: 120,
    reserved: 0,
    backordered: 0,
    safetyStock: 20,
    available: 100,
    version: 1,
    createdAt: data.createdAt,
    updatedAt: data.createdAt,
  })
  t.match(headers.etag, /^"1\./)
  t.strictSame((await operator.get(url)).body.data, data)
  const movements = await movementsOf(sku)
  t.equal(movements.length, 1)
  t.strictSame(movements[0], {
    id: movements[0].id,
    sku,
    locationId: tenant.locationId,
    type: 'adjustment',
    onHandChange: 120,
    reservedChange: 0,
    onHand: 120,
    reserved: 0,
    orderId: null,
    reservationId: null,
    reason: 'first count',
    actor: movements[0].actor,
    requestId: headers['x-request-id'],
    occurredAt: data.createdAt,
  })
  t.match(movements[0].actor, { type: 'apiKey', id: /^usr_/ })
  t.match(await entriesOf(sku), [{ type: 'stock.adjusted', changed: ['onHand', 'safetyStock'], data: { onHand: 120 } }])
})

t.test('opens a level of nothing without a movement', async (t) => {
  const { sku, url } = await freshLevel()
  const { body } = await operator.put(url, { onHand: 0 })
  t.match(body.data, { onHand: 0, version: 1 })
  t.same(await movementsOf(sku), [])
})

t.test('sets what was counted under the version that was read; the safety stock stays unless given', async (t) => {
  const { sku, url } = await freshLevel()
  const first = await operator.put(url, { onHand: 10, safetyStock: 3 })
  const second = await operator.put(url, { onHand: 7 }, { 'if-match': first.headers.etag ?? '' })
  t.match(second.body.data, { onHand: 7, safetyStock: 3, available: 4, version: 2 })
  const third = await operator.put(url, { onHand: 7, safetyStock: 0 }, { 'if-match': '"2"' })
  t.match(third.body.data, { safetyStock: 0, available: 7, version: 3 })
  t.match(
    await movementsOf(sku),
    [
      { onHandChange: -3, onHand: 7 },
      { onHandChange: 10, onHand: 10 },
    ],
    'a new safety stock moves nothing',
  )
  t.match(
    (await entriesOf(sku)).map(({ changed }) => changed),
    [['onHand', 'safetyStock'], ['onHand'], ['safetyStock']],
  )
})

t.test('writes nothing when the count is what was known', async (t) => {
  const { sku, url } = await freshLevel()
  const first = await operator.put(url, { onHand: 10, safetyStock: 1 })
  for (const body of [{ onHand: 10 }, { onHand: 10, safetyStock: 1, reason: 'again' }]) {
    const again = await operator.put(url, body, { 'if-match': '*' })
    t.equal(again.status, 200)
    t.strictSame(again.body.data, first.body.data)
  }
  t.equal((await movementsOf(sku)).length, 1)
  t.equal((await entriesOf(sku)).length, 1)
})

t.test('believes a count below what is promised: available turns negative, and nothing more is sold', async (t) => {
  const { sku, url } = await freshLevel()
  await operator.put(url, { onHand: 10 })
  const order = { paymentTerms: 'onAccount', lines: [{ sku, quantity: 8 }] }
  t.equal((await operator.post('/v1/orders', order)).status, 201)
  const { status, body } = await operator.put(url, { onHand: 3 }, { 'if-match': '"1"' })
  t.equal(status, 200, 'the order left the version alone')
  t.match(body.data, { onHand: 3, reserved: 8, available: -5 })
  const refused = await operator.post('/v1/orders', { ...order, lines: [{ sku, quantity: 1 }] })
  t.match(refused.body, { error: { code: 'OUT_OF_STOCK' }, detail: `SKU ${sku}: 1 requested, -5 available` })
})

t.test('takes SKUs of every script, and with the characters that mean something in a URL', async (t) => {
  for (const sku of ['A/B %2F?#&+@', 'Größe 42', '茶碗', '🍵']) {
    await tenant.stock([{ sku }])
    const url = `/v1/stock/${encodeURIComponent(sku)}/${tenant.locationId}`
    t.equal((await operator.put(url, { onHand: 2 })).status, 200, sku)
    t.match((await operator.get(url)).body.data, { sku, onHand: 2 })
    t.equal((await movementsOf(sku)).length, 1)
  }
})

t.test('needs If-Match once the level exists, and the present version in it', async (t) => {
  const { sku, url } = await freshLevel()
  await operator.put(url, { onHand: 10 })
  t.same(tally([await operator.put(url, { onHand: 11 })]), { '428 PRECONDITION_REQUIRED': 1 })
  t.same(tally([await operator.put(url, { onHand: 11 }, { 'if-match': '"2"' })]), { '412 PRECONDITION_FAILED': 1 })
  t.equal((await operator.put(url, { onHand: 11 }, { 'if-match': '"5", "1.abcdef"' })).status, 200, 'one of a list')
  t.match(await movementsOf(sku), [{ onHand: 11 }, { onHand: 10 }])
})

t.test('refuses If-Match while there is no level it could match', async (t) => {
  const { url } = await freshLevel()
  for (const tag of ['"1"', '"0"', '*'])
    t.same(tally([await operator.put(url, { onHand: 1 }, { 'if-match': tag })]), { '412 PRECONDITION_FAILED': 1 }, tag)
  t.equal((await operator.get(url)).status, 404, 'and makes none')
})

t.test('refuses a SKU or location that does not exist, with pointers', async (t) => {
  const answer = await operator.put(`/v1/stock/NOBODYS/${newId('loc')}`, { onHand: 1 })
  t.equal(answer.status, 422)
  t.match(answer.body, {
    error: { code: 'UNKNOWN_STOCK_ITEM', message: 'there is no product with SKU NOBODYS' },
    errors: [
      { field: 'sku', pointer: '/sku', code: 'UNKNOWN' },
      { field: 'locationId', pointer: '/locationId', code: 'UNKNOWN' },
    ],
  })
})

t.test('refuses counts below zero, above the limit or with a fraction', async (t) => {
  const { url } = await freshLevel()
  for (const onHand of [-1, 1_000_000_001, 0.5, '5', null])
    t.same(tally([await operator.put(url, { onHand })]), { '422 VALIDATION_FAILED': 1 }, String(onHand))
  t.equal((await operator.put(url, { onHand: 1_000_000_000 })).status, 200)
})

t.test('is for holders of stock:write', async (t) => {
  const { url } = await freshLevel()
  const reader = as(await tenant.keyWith(['stock:read', 'products:write']))
  t.same(tally([await reader.put(url, { onHand: 1 })]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's SKU and location as for absent ones", async (t) => {
  const { sku } = await freshLevel()
  const put = (wanted: string, locationId: string) => operator.put(`/v1/stock/${wanted}/${locationId}`, { onHand: 1 })
  const alike = async (foreign: readonly [string, string], absent: readonly [string, string]) => {
    const text = JSON.stringify(refusalOf(await put(...foreign)))
    const renamed = text.replaceAll(foreign[0], absent[0]).replaceAll(foreign[1], absent[1])
    t.same(JSON.parse(renamed), refusalOf(await put(...absent)))
  }
  await alike(['THEIRS', tenant.locationId], ['NOBODYS', tenant.locationId])
  await alike([sku, stranger.locationId], [sku, newId('loc')])
})

t.test('answers a retry with the same key as it answered the first, without If-Match trouble', async (t) => {
  const { sku, url } = await freshLevel()
  const key = { 'idempotency-key': randomUUID() }
  const first = await operator.put(url, { onHand: 10 }, key)
  const retry = await operator.put(url, { onHand: 10 }, key)
  t.equal(retry.status, 200)
  t.equal(retry.data, first.data)
  t.equal(retry.headers['idempotency-replayed'], 'true')
  t.equal((await movementsOf(sku)).length, 1)
})

t.test('of twenty who open a level at once one does, and the others must look first', async (t) => {
  const { url } = await freshLevel()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => persist(() => operator.put(url, { onHand: index + 1 }))),
  )
  t.same(tally(answers), { 200: 1, '428 PRECONDITION_REQUIRED': 19 })
})

t.test('of twenty who change the same version at once one does', async (t) => {
  const { url } = await freshLevel()
  await operator.put(url, { onHand: 100 })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      persist(() => operator.put(url, { onHand: index }, { 'if-match': '"1"' })),
    ),
  )
  t.same(tally(answers), { 200: 1, '412 PRECONDITION_FAILED': 19 })
})

t.test('answers 503 when somebody else holds the level for too long, and survives it', async (t) => {
  const { sku, url } = await freshLevel()
  const holder = await db.connect()
  await holder.query('begin')
  await holder.query(
    `insert into stock_levels (organization_id, sku, location_id, on_hand, created_at, updated_at)
     values ($1, $2, $3, 0, now(), now())`,
    [tenant.organizationId, sku, tenant.locationId],
  )
  const answer = await operator.put(url, { onHand: 1 })
  await holder.query('rollback')
  holder.release()
  t.same(tally([answer]), { '503 DATABASE_UNAVAILABLE': 1 })
  t.match(answer.headers, { 'retry-after': '1' })
  t.equal((await operator.put(url, { onHand: 1 })).status, 200)
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
