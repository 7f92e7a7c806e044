import t from 'tap'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'

const { as, tenant, db } = await harness(t)
const operator = as(tenant.key)
const line = (sku: string, quantity: number) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })
const gbp = (amount: number) => ({ amount, currency: 'GBP' })

await tenant.stock([
  { sku: '85123A', price: 255, onHand: 1_000 },
  { sku: '71053', price: 339, onHand: 1_000 },
  { sku: 'POST', price: 1_800, stockPolicy: 'untracked' },
  { sku: 'GIFT', price: 0, onHand: 10 },
])

const levelOf = async (sku: string) => (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data
const reservationsOf = async (orderId: string) => {
  const { rows } = await db.query(
    'select sku, quantity, state, expires_at from reservations where order_id = $1 order by sku',
    [orderId],
  )
  return rows
}
const movementsOf = async (orderId: string) => {
  const { rows } = await db.query(
    'select sku, type, on_hand_change, reserved_change, on_hand, reserved from stock_movements where order_id = $1 order by sku',
    [orderId],
  )
  return rows
}

t.test('places the least order there is, priced from the catalog and confirmed at once', async (t) => {
  const { status, body, headers } = await operator.post('/v1/orders', onAccount(line('85123A', 6)))
  t.equal(status, 201)
  const { data } = body
  t.match(headers.location, new RegExp(`^http://.+/v1/orders/${data.id}$`))
  t.match(headers.etag, /^"2\.[0-9a-f]{6}"$/)
  t.match(data.number, /^\d{8}-[0-9A-HJKMNP-TV-Z]{8}$/)
  t.strictSame(data, {
    id: data.id,
    number: data.number,
    status: 'confirmed',
    paymentStatus: 'unpaid',
    fulfillmentStatus: 'unfulfilled',
    returnStatus: 'none',
    source: null,
    externalId: null,
    locationId: tenant.locationId,
    paymentTerms: 'onAccount',
    totals: { items: gbp(1_530), discount: gbp(0), shipping: gbp(0), tax: gbp(0), total: gbp(1_530) },
    placedAt: data.createdAt,
    confirmedAt: data.createdAt,
    expiresAt: null,
    closedAt: null,
    metadata: {},
    version: 2,
    createdAt: data.createdAt,
    updatedAt: data.createdAt,
    cancelReason: null,
    holds: [],
    discounts: [],
    shipping: [],
    taxes: [],
    lines: [
      {
        id: data.lines[0].id,
        sku: '85123A',
        title: 'Product 85123A',
        quantity: 6,
        quantityCancelled: 0,
        quantityFulfilled: 0,
        quantityBackordered: 0,
        unitPrice: gbp(255),
        discount: gbp(0),
        tax: gbp(0),
        total: gbp(1_530),
        metadata: {},
      },
    ],
    customer: null,
    shippingAddress: null,
    billingAddress: null,
    notes: null,
    allowedActions: ['update', 'cancel', 'cancelLine', 'addHold'],
  })
})

t.test('reserves the stock firmly, with a movement that shows the level it led to', async (t) => {
  const before = await levelOf('71053')
  const { body } = await operator.post('/v1/orders', onAccount(line('71053', 7)))
  const after = await levelOf('71053')
  t.strictSame(after, { ...before, reserved: before.reserved + 7, available: before.available - 7 })
  t.same(await reservationsOf(body.data.id), [{ sku: '71053', quantity: 7, state: 'firm', expires_at: null }])
  const movement = { sku: '71053', type: 'reserve', on_hand_change: 0, reserved_change: 7 }
  t.same(await movementsOf(body.data.id), [{ ...movement, on_hand: 1_000, reserved: after.reserved }])
})

const everything = {
  source: 'web-shop',
  externalId: 'A/1 ünï',
  paymentTerms: 'onAccount',
  currency: 'GBP',
  customer: { name: 'Ada Canary', email: 'ada@canary.example', phone: '+44 20 0000', externalId: 'c-1' },
  shippingAddress: { name: 'Ada Canary', line1: '1 Canary Wharf', city: 'London', postalCode: 'E14', country: 'GB' },
  billingAddress: { company: 'Canary Ltd', line1: '2 Canary Wharf', city: 'London', country: 'GB' },
  notes: 'Ring the canary bell',
  metadata: { campaign: 'spring' },
  lines: [{ sku: '85123A', quantity: 1, metadata: { engraving: 'A' } }, line('71053', 2)],
}

t.test('keeps everything it is given, and reads it back alike', async (t) => {
  const { status, body } = await operator.post('/v1/orders', { ...everything, locationId: tenant.locationId })
  t.equal(status, 201)
  const { data } = body
  const { lines, currency: _currency, ...given } = everything
  for (const [name, value] of Object.entries(given)) t.strictSame(data[name], value, name)
  t.strictSame(
    data.lines.map(({ sku, quantity, metadata }: Record<string, unknown>) => ({ sku, quantity, metadata })),
    lines.map((each) => ({ metadata: {}, ...each })),
  )
  t.strictSame((await operator.get(`/v1/orders/${data.id}`)).body.data, data)
})

t.test(
  'keeps personal fields beside the ledger entry of the placing, salted, and nowhere else in the ledger',
  async (t) => {
    const { body } = await operator.post(
      '/v1/orders',
      { ...everything, externalId: 'A/2' },
      { 'x-request-id': 'mine-1' },
    )
    const { rows } = await db.query('select * from ledger where resource_id = $1 order by resource_version', [
      body.data.id,
    ])
    t.same(
      rows.map(({ type, resource_version, changed }) => [type, resource_version, changed]),
      [
        ['order.placed', 1, []],
        ['order.confirmed', 2, ['status', 'confirmedAt']],
      ],
    )
    const [placed, confirmed] = rows
    const { customer, shippingAddress, billingAddress, notes } = everything
    t.same(placed.personal, { customer, shippingAddress, billingAddress, notes })
    t.equal(placed.personal_salt.length, 16)
    t.equal(confirmed.personal, null)
    const actor = { type: 'apiKey', keyId: tenant.keyId }
    for (const row of rows) {
      t.match(row, { request_id: 'mine-1', actor, organization_id: tenant.organizationId })
      t.notMatch(JSON.stringify(row.data), /canary/i, 'nothing personal in data')
    }
    t.match(placed.data, { status: 'pending', confirmedAt: null, version: 1 })
    const { customer: _c, shippingAddress: _s, billingAddress: _b, notes: _n, allowedActions: _a, ...rest } = body.data
    t.same(confirmed.data, rest, 'the last entry is the order as it was answered')
  },
)

t.test('sums a SKU that is given on two lines', async (t) => {
  await tenant.stock([{ sku: 'TWICE', onHand: 10 }])
  const refused = await operator.post('/v1/orders', onAccount(line('TWICE', 6), line('TWICE', 5)))
  t.equal(refused.body.error.code, 'OUT_OF_STOCK')
  const { status, body } = await operator.post('/v1/orders', onAccount(line('TWICE', 6), line('TWICE', 4)))
  t.equal(status, 201)
  t.equal(body.data.lines.length, 2, 'as two lines')
  t.same(await reservationsOf(body.data.id), [{ sku: 'TWICE', quantity: 10, state: 'firm', expires_at: null }])
  t.match(await movementsOf(body.data.id), [{ reserved_change: 10, reserved: 10 }])
})

t.test('needs no stock for untracked products, beside others that do', async (t) => {
  const alone = await operator.post('/v1/orders', onAccount(line('POST', 1_000_000)))
  t.equal(alone.status, 201)
  t.same(await reservationsOf(alone.body.data.id), [])
  t.same(await movementsOf(alone.body.data.id), [])
  const mixed = await operator.post('/v1/orders', onAccount(line('POST', 1), line('85123A', 1)))
  t.equal(mixed.status, 201)
  t.match(await reservationsOf(mixed.body.data.id), [{ sku: '85123A', quantity: 1 }])
})

t.test('takes the stock from the location that is named', async (t) => {
  const { body: location } = await operator.post('/v1/locations', { name: 'Second' })
  const locationId = location.data.id
  const short = await operator.post('/v1/orders', { ...onAccount(line('85123A', 1)), locationId })
  t.equal(short.body.error.code, 'OUT_OF_STOCK', 'what the default location has does not help')
  await operator.put(`/v1/stock/85123A/${locationId}`, { onHand: 1 })
  const before = await levelOf('85123A')
  const { status, body } = await operator.post('/v1/orders', { ...onAccount(line('85123A', 1)), locationId })
  t.equal(status, 201)
  t.equal(body.data.locationId, locationId)
  t.strictSame(await levelOf('85123A'), before, 'the default location keeps its own')
})

t.test('leaves a prepaid order pending, with its stock held until it expires', async (t) => {
  const { status, body, headers } = await operator.post('/v1/orders', {
    paymentTerms: 'prepaid',
    lines: [line('85123A', 3)],
  })
  t.equal(status, 201)
  const { data } = body
  t.match(data, {
    status: 'pending',
    version: 1,
    confirmedAt: null,
    allowedActions: ['update', 'cancel', 'cancelLine', 'addHold'],
  })
  t.match(headers.etag, /^"1\./)
  t.equal(Date.parse(data.expiresAt) - Date.parse(data.placedAt), 30 * 60_000, 'ORDER_PAYMENT_WINDOW_MINUTES')
  const expires_at = new Date(data.expiresAt)
  t.same(await reservationsOf(data.id), [{ sku: '85123A', quantity: 3, state: 'held', expires_at }])
  const { rows } = await db.query('select type from ledger where resource_id = $1', [data.id])
  t.same(rows, [{ type: 'order.placed' }])
})

t.test('takes an order without payment terms for a prepaid one', async (t) => {
  const { status, body } = await operator.post('/v1/orders', { lines: [line('85123A', 1)] })
  t.equal(status, 201)
  t.match(body.data, { paymentTerms: 'prepaid', status: 'pending' })
})

t.test('confirms an order of total 0 at once, prepaid or not', async (t) => {
  const { status, body } = await operator.post('/v1/orders', { paymentTerms: 'prepaid', lines: [line('GIFT', 1)] })
  t.equal(status, 201)
  t.match(body.data, { status: 'confirmed', version: 2, expiresAt: null, paymentStatus: 'paid' })
  t.same(body.data.totals.total, gbp(0))
})

t.test('takes prices from the request of a caller with orders:price, 0 included', async (t) => {
  const lines = [
    { sku: '85123A', quantity: 2, unitPrice: gbp(199) },
    { sku: '71053', quantity: 1, unitPrice: gbp(0) },
    line('71053', 1),
  ]
  const { status, body } = await operator.post('/v1/orders', onAccount(...lines))
  t.equal(status, 201)
  t.same(
    body.data.lines.map(({ unitPrice, total }: Record<string, unknown>) => [unitPrice, total]),
    [
      [gbp(199), gbp(398)],
      [gbp(0), gbp(0)],
      [gbp(339), gbp(339)],
    ],
  )
  t.same(body.data.totals.total, gbp(737))
})

t.test('is priced in another currency where the products have prices in it', async (t) => {
  const prices = [gbp(100), { amount: 117, currency: 'EUR' }]
  await operator.post('/v1/products', { sku: 'EURO', title: 'Euro', prices, stockPolicy: 'untracked' })
  const { status, body } = await operator.post('/v1/orders', { ...onAccount(line('EURO', 2)), currency: 'EUR' })
  t.equal(status, 201)
  t.same(body.data.totals.total, { amount: 234, currency: 'EUR' })
})

t.test('places 1,000 lines of a million each, up to the largest exact sum', async (t) => {
  await tenant.stock([{ sku: 'DEAR', price: 1_000_000_000_000, stockPolicy: 'untracked' }])
  const largest = await operator.post('/v1/orders', onAccount(line('DEAR', 9_007)))
  t.equal(largest.status, 201)
  t.same(largest.body.data.totals.total, gbp(9_007_000_000_000_000))
  t.strictSame((await operator.get(`/v1/orders/${largest.body.data.id}`)).body.data, largest.body.data)
  await tenant.stock([{ sku: 'PENNY', price: 1, onHand: 1_000_000_000 }])
  const many = onAccount(...Array.from({ length: 1_000 }, () => line('PENNY', 1_000_000)))
  const { status, body } = await operator.post('/v1/orders', many)
  t.equal(status, 201)
  t.same(body.data.totals.total, gbp(1_000_000_000))
  t.match(await levelOf('PENNY'), { reserved: 1_000_000_000, available: 0 })
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
