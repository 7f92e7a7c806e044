import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
const line = (sku: string, quantity: number) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const place = (body: object, headers = {}) => operator.post('/v1/orders', body, headers)

await tenant.stock([
  { sku: 'MUG', onHand: 5 },
  { sku: 'CUP', onHand: 2 },
  { sku: 'JUG' },
  { sku: 'DEAR', price: 1_000_000_000_000, stockPolicy: 'untracked' },
])

const countOf = async (table: string): Promise<number> =>
  Number(
    (await db.query(`select count(*) from ${table} where organization_id = $1`, [tenant.organizationId])).rows[0].count,
  )
const written = async () => ({
  orders: await countOf('orders'),
  lines: await countOf('order_lines'),
  reservations: await countOf('reservations'),
  movements: await countOf('stock_movements'),
  ledger: await countOf('ledger'),
  keys: await countOf('idempotency_keys'),
})
const issuesOf = ({ body }: Answer) =>
  body.errors.map(({ field, pointer, code, message }: Record<string, string>) => [field, pointer, code, message])

t.test('refuses an order larger than the stock, naming each short line, and writes nothing', async (t) => {
  const before = await written()
  const answer = await place(onAccount(line('MUG', 4), line('CUP', 3), line('MUG', 2), line('JUG', 1)))
  t.equal(answer.status, 409)
  t.match(answer.body, {
    error: { code: 'OUT_OF_STOCK', message: 'SKU MUG: 6 requested, 5 available' },
    retryable: false,
  })
  t.same(issuesOf(answer), [
    ['lines[0].quantity', '/lines/0/quantity', 'OUT_OF_STOCK', 'SKU MUG: 6 requested, 5 available'],
    ['lines[1].quantity', '/lines/1/quantity', 'OUT_OF_STOCK', 'SKU CUP: 3 requested, 2 available'],
    ['lines[2].quantity', '/lines/2/quantity', 'OUT_OF_STOCK', 'SKU MUG: 6 requested, 5 available'],
    ['lines[3].quantity', '/lines/3/quantity', 'OUT_OF_STOCK', 'SKU JUG: 1 requested, 0 available'],
  ])
  t.same(await written(), before)
})

t.test('reserves nothing of what is there when another line is short', async (t) => {
  const answer = await place(onAccount(line('MUG', 1), line('CUP', 3)))
  t.equal(answer.status, 409)
  t.same(issuesOf(answer).length, 1)
  t.match((await operator.get(`/v1/stock/MUG/${tenant.locationId}`)).body.data, { reserved: 0, available: 5 })
})

t.test('does not sell the safety stock, nor what is promised already', async (t) => {
  await tenant.stock([{ sku: 'SAFE' }])
  await operator.put(`/v1/stock/SAFE/${tenant.locationId}`, { onHand: 5, safetyStock: 2 })
  t.equal((await place(onAccount(line('SAFE', 4)))).status, 409)
  t.equal((await place(onAccount(line('SAFE', 2)))).status, 201)
  t.same(issuesOf(await place(onAccount(line('SAFE', 2))))[0]?.[3], 'SKU SAFE: 2 requested, 1 available')
})

t.test('refuses a SKU that is unknown or not for sale, naming each line', async (t) => {
  for (const status of ['draft', 'archived'])
    await operator.post('/v1/products', {
      sku: status,
      title: status,
      prices: [gbp(1)],
      status,
      stockPolicy: 'untracked',
    })
  const answer = await place(onAccount(line('draft', 1), line('MUG', 1), line('archived', 1), line('mug', 1)))
  t.equal(answer.status, 422)
  t.same(issuesOf(answer), [
    ['lines[0]', '/lines/0', 'UNKNOWN_SKU', 'SKU draft is not for sale'],
    ['lines[2]', '/lines/2', 'UNKNOWN_SKU', 'SKU archived is not for sale'],
    ['lines[3]', '/lines/3', 'UNKNOWN_SKU', 'SKU mug is not for sale'],
  ])
})

t.test('sells nothing whose name only looks like a property of every object', async (t) => {
  for (const sku of ['constructor', 'toString', 'hasOwnProperty'])
    t.equal((await place(onAccount(line(sku, 1)))).body.error.code, 'UNKNOWN_SKU', sku)
})

t.test('refuses a product without a price in the currency of the order', async (t) => {
  const answer = await place({ ...onAccount(line('MUG', 1)), currency: 'EUR' })
  t.equal(answer.status, 422)
  t.same(issuesOf(answer), [['lines[0]', '/lines/0', 'PRICE_MISSING', 'SKU MUG has no price in EUR']])
  const priced = { sku: 'MUG', quantity: 1, unitPrice: { amount: 3, currency: 'EUR' } }
  t.equal((await place({ ...onAccount(priced), currency: 'EUR' })).status, 201, 'unless the request brings it')
})

t.test('refuses a price in another currency than the order', async (t) => {
  const foreign = { sku: 'MUG', quantity: 1, unitPrice: { amount: 3, currency: 'EUR' } }
  const answer = await place(onAccount(line('MUG', 1), foreign))
  t.equal(answer.status, 422)
  t.same(issuesOf(answer), [
    ['lines[1].unitPrice', '/lines/1/unitPrice', 'CURRENCY_MISMATCH', 'the order is in GBP, not EUR'],
  ])
})

t.test('refuses a price from a caller without orders:price', async (t) => {
  const shop = as(await tenant.keyWith(['orders:write']))
  const priced = onAccount({ ...line('MUG', 1), unitPrice: gbp(1) })
  const answer = await shop.post('/v1/orders', priced)
  t.equal(answer.status, 403)
  t.equal(answer.body.error.code, 'PRICE_NOT_ALLOWED')
  t.equal((await shop.post('/v1/orders', onAccount(line('MUG', 1)))).status, 201, 'the price of the catalog is fine')
})

t.test('refuses sums beyond 2^53 − 1', async (t) => {
  for (const lines of [[line('DEAR', 9_008)], [line('DEAR', 9_007), line('DEAR', 1)], [line('DEAR', 1_000_000)]]) {
    const answer = await place(onAccount(...lines))
    t.equal(answer.status, 422)
    t.equal(answer.body.error.code, 'AMOUNT_TOO_LARGE')
  }
})

t.test('refuses a location that does not exist', async (t) => {
  const answer = await place({ ...onAccount(line('MUG', 1)), locationId: newId('loc') })
  t.equal(answer.status, 422)
  t.equal(answer.body.error.code, 'UNKNOWN_LOCATION')
})

t.test('refuses a source without an external id, and the other way round', async (t) => {
  for (const [given, missing] of [
    ['source', 'externalId'],
    ['externalId', 'source'],
  ] as const) {
    const answer = await place({ ...onAccount(line('MUG', 1)), [given]: 'x' })
    t.equal(answer.status, 422)
    t.match(answer.body.errors, [{ code: 'REQUIRED', message: new RegExp(missing) }])
  }
})

t.test('refuses what does not match the schema, field by field', async (t) => {
  const faults: readonly [object, string, string][] = [
    [onAccount(), '/lines', 'TOO_FEW'],
    [onAccount(line('MUG', 0)), '/lines/0/quantity', 'TOO_SMALL'],
    [onAccount(line('MUG', 1_000_001)), '/lines/0/quantity', 'TOO_LARGE'],
    [onAccount(line('MUG', 1.5)), '/lines/0/quantity', 'WRONG_TYPE'],
    [onAccount({ sku: 'MUG', quantity: '1' }), '/lines/0/quantity', 'WRONG_TYPE'],
    [onAccount({ sku: 'MUG', quantty: 1 }), '/lines/0/quantty', 'UNKNOWN_FIELD'],
    [onAccount({ ...line('MUG', 1), unitPrice: gbp(-1) }), '/lines/0/unitPrice/amount', 'TOO_SMALL'],
    [{ ...onAccount(line('MUG', 1)), status: 'completed' }, '/status', 'UNKNOWN_FIELD'],
    [{ ...onAccount(line('MUG', 1)), paymentTerms: 'later' }, '/paymentTerms', 'NOT_ALLOWED'],
    [{ ...onAccount(line('MUG', 1)), customer: { email: 'nobody' } }, '/customer/email', 'WRONG_FORMAT'],
    [onAccount(...Array.from({ length: 1_001 }, () => line('MUG', 1))), '/lines', 'TOO_MANY'],
  ]
  for (const [body, pointer, code] of faults) {
    const answer = await place(body)
    t.equal(answer.status, 422, pointer)
    t.ok(
      answer.body.errors.some((issue: Record<string, string>) => issue.pointer === pointer && issue.code === code),
      `${pointer} ${code}`,
    )
  }
})

t.test('refuses a second order of the same source and external id, naming the first', async (t) => {
  const external = { ...onAccount(line('DEAR', 1)), source: 'shop', externalId: 'E-1' }
  const first = await place(external)
  t.equal(first.status, 201)
  const again = await place({ ...external, lines: [line('DEAR', 2)] })
  t.equal(again.status, 409)
  t.equal(again.body.error.code, 'DUPLICATE_EXTERNAL_ID')
  t.match(again.body.detail, first.body.data.id)
  await operator.post(`/v1/orders/${first.body.data.id}/cancel`, {})
  t.equal((await place(external)).status, 409, 'for ever, cancelled or not')
  t.equal((await place({ ...external, source: 'market' })).status, 201, 'another source')
  t.equal((await place({ ...external, externalId: 'e-1' })).status, 201, 'another case')
})

t.test('refuses a request without an Idempotency-Key', async (t) => {
  const answer = await place(onAccount(line('MUG', 1)), { 'idempotency-key': '' })
  t.equal(answer.status, 400)
  t.equal(answer.body.error.code, 'IDEMPOTENCY_KEY_REQUIRED')
})

t.test('is for holders of orders:write', async (t) => {
  const { key } = stranger
  const reader = await tenant.keyWith(['orders:read', 'orders:price', 'stock:write', 'products:write'])
  const body = onAccount(line('MUG', 1))
  t.same(tally([await as(reader).post('/v1/orders', body)]), { '403 FORBIDDEN': 1 })
  t.same(tally([await as().post('/v1/orders', body)]), { '401 UNAUTHORIZED': 1 })
  t.same(tally([await as(key).post('/v1/orders', body)]), { '422 UNKNOWN_SKU': 1 })
})

t.test("answers for another tenant's things as for absent ones", async (t) => {
  const theirs = as(stranger.key)
  await stranger.stock([
    { sku: 'THEIRS', onHand: 9, price: 5 },
    { sku: 'DEAR', price: 7, stockPolicy: 'untracked' },
  ])
  const absentSku = await place(onAccount(line('NOBODYS', 1)))
  const theirSku = await place(onAccount(line('THEIRS', 1)))
  t.same(
    JSON.parse(JSON.stringify(refusalOf(theirSku)).replaceAll('THEIRS', 'NOBODYS')),
    refusalOf(absentSku),
    'product',
  )
  const at = async (locationId: string) => refusalOf(await place({ ...onAccount(line('MUG', 1)), locationId }))
  t.same(await at(stranger.locationId), await at(newId('loc')), 'location')

  const external = { ...onAccount(line('DEAR', 1)), source: 'shop', externalId: 'E-2' }
  t.equal((await theirs.post('/v1/orders', external)).status, 201)
  const own = await place(external)
  t.equal(own.status, 201, 'external id')
  t.same(own.body.data.totals.total, gbp(1_000_000_000_000), 'at our price, not at theirs')
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
