import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const line = (sku: string, quantity: number) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const quote = (body: object) => operator.post('/v1/orders/quote', body)

await tenant.stock([
  { sku: 'MUG', price: 250, onHand: 5 },
  { sku: 'CUP', price: 100, onHand: 2 },
  { sku: 'NEVER', price: 1 },
  { sku: 'POST', price: 395, stockPolicy: 'untracked' },
])

const rowCounts = async () => {
  const { rows } = await db.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss')`,
  )
  const counts = rows.map(async ({ name }) => [name, (await db.query(`select count(*) from ${name}`)).rows[0].count])
  return Object.fromEntries(await Promise.all(counts)) as Record<string, string>
}

t.test('explains price and stock of an order that could be placed', async (t) => {
  const { status, body } = await quote(onAccount(line('MUG', 2), line('POST', 1), line('MUG', 3)))
  t.equal(status, 200)
  const none = { discount: gbp(0), tax: gbp(0) }
  const mug = { sku: 'MUG', title: 'Product MUG', unitPrice: gbp(250), priceSource: 'catalog', ...none }
  t.strictSame(body.data, {
    placeable: true,
    locationId: tenant.locationId,
    totals: { items: gbp(1_645), discount: gbp(0), shipping: gbp(0), tax: gbp(0), total: gbp(1_645) },
    lines: [
      { ...mug, quantity: 2, total: gbp(500) },
      {
        sku: 'POST',
        title: 'Product POST',
        quantity: 1,
        unitPrice: gbp(395),
        priceSource: 'catalog',
        ...none,
        total: gbp(395),
      },
      { ...mug, quantity: 3, total: gbp(750) },
    ],
    stock: [
      { sku: 'MUG', policy: 'deny', requested: 5, available: 5, backordered: 0, sufficient: true },
      { sku: 'POST', policy: 'untracked', requested: 1, available: null, backordered: 0, sufficient: true },
    ],
  })
})

t.test('says what is short of an order that could not be placed', async (t) => {
  const { status, body } = await quote(onAccount(line('MUG', 1), line('CUP', 1), line('CUP', 2), line('NEVER', 1)))
  t.equal(status, 200)
  t.equal(body.data.placeable, false)
  t.strictSame(body.data.stock, [
    { sku: 'MUG', policy: 'deny', requested: 1, available: 5, backordered: 0, sufficient: true },
    { sku: 'CUP', policy: 'deny', requested: 3, available: 2, backordered: 0, sufficient: false },
    { sku: 'NEVER', policy: 'deny', requested: 1, available: 0, backordered: 0, sufficient: false },
  ])
})

t.test('writes nothing, to no table', async (t) => {
  const before = await rowCounts()
  t.ok(Object.keys(before).length > 8)
  for (const body of [onAccount(line('MUG', 2)), onAccount(line('MUG', 99)), onAccount(line('POST', 1))])
    t.equal((await quote(body)).status, 200)
  t.same(await rowCounts(), before)
  const { rows } = await db.query('select distinct reserved from stock_levels')
  t.same(rows, [{ reserved: 0 }])
})

t.test('quotes what placing then charges, and places exactly what it calls placeable', async (t) => {
  const baskets = [
    onAccount(line('MUG', 1)),
    onAccount(line('CUP', 1), line('POST', 2), line('CUP', 1)),
    onAccount(line('CUP', 1)),
    onAccount({ ...line('MUG', 1), unitPrice: gbp(7) }, line('MUG', 2)),
    { paymentTerms: 'prepaid', lines: [line('MUG', 9)] },
  ]
  for (const basket of baskets) {
    const { body: quoted } = await quote(basket)
    const { status, body: placed } = await operator.post('/v1/orders', basket)
    t.equal(status, quoted.data.placeable ? 201 : 409)
    if (status !== 201) continue
    t.strictSame(placed.data.totals, quoted.data.totals)
    t.equal(placed.data.locationId, quoted.data.locationId)
    for (const [index, { sku, title, quantity, unitPrice, total }] of quoted.data.lines.entries())
      t.match(placed.data.lines[index], { sku, title, quantity, unitPrice, total })
  }
})

t.test('says which prices came with the request', async (t) => {
  const { body } = await quote(onAccount({ ...line('MUG', 1), unitPrice: gbp(7) }))
  t.match(body.data.lines, [{ unitPrice: gbp(7), priceSource: 'request' }])
})

t.test('refuses what placing would refuse, in the same words', async (t) => {
  const refused = [
    onAccount(line('NOBODYS', 1)),
    { ...onAccount(line('MUG', 1)), currency: 'EUR' },
    onAccount({ ...line('MUG', 1), unitPrice: { amount: 7, currency: 'EUR' } }),
    { ...onAccount(line('MUG', 1)), locationId: newId('loc') },
    onAccount({ ...line('POST', 1_000_000), unitPrice: gbp(1_000_000_000_000) }),
  ]
  const outcomes = []
  for (const basket of refused) {
    const quoted = await quote(basket)
    t.same(refusalOf(quoted), refusalOf(await operator.post('/v1/orders', basket)))
    outcomes.push(quoted)
  }
  t.same(tally(outcomes), {
    '422 UNKNOWN_SKU': 1,
    '422 PRICE_MISSING': 1,
    '422 CURRENCY_MISMATCH': 1,
    '422 UNKNOWN_LOCATION': 1,
    '422 AMOUNT_TOO_LARGE': 1,
  })
})

t.test('takes nothing that only an order has', async (t) => {
  const answer = await quote({ ...onAccount(line('MUG', 1)), source: 'shop', externalId: '1' })
  t.same(tally([answer]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of orders:read; a price in it needs orders:price', async (t) => {
  const reader = as(await tenant.keyWith(['orders:read']))
  const writer = as(await tenant.keyWith(['orders:write', 'orders:price']))
  const basket = onAccount(line('MUG', 1))
  const priced = onAccount({ ...line('MUG', 1), unitPrice: gbp(1) })
  t.same(tally([await reader.post('/v1/orders/quote', basket)]), { 200: 1 })
  t.same(tally([await reader.post('/v1/orders/quote', priced)]), { '403 PRICE_NOT_ALLOWED': 1 })
  t.same(tally([await writer.post('/v1/orders/quote', basket)]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's product and location as for absent ones", async (t) => {
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'THEIRS', onHand: 9 }])
  const absent = refusalOf(await quote(onAccount(line('NOBODY', 1))))
  const theirs = refusalOf(await quote(onAccount(line('THEIRS', 1))))
  t.same(JSON.parse(JSON.stringify(theirs).replaceAll('THEIRS', 'NOBODY')), absent)
  const at = async (locationId: string) => refusalOf(await quote({ ...onAccount(line('MUG', 1)), locationId }))
  t.same(await at(stranger.locationId), await at(newId('loc')))
})
