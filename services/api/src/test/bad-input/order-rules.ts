import { absent, type HandCase, refused, type World } from './world.ts'

type Rule = readonly [name: string, change: Readonly<Record<string, unknown>>, status: number, code: string]

const invalid = (name: string, change: Readonly<Record<string, unknown>>): Rule => [
  name,
  change,
  422,
  'VALIDATION_FAILED',
]
const line = (change: object = {}) => [{ sku: 'MUG', quantity: 1, ...change }]
const lines = (change: object) => ({ lines: line(change) })
const price = (amount: number, currency = 'GBP') => ({ unitPrice: { amount, currency } })

/** Rules that hold for placing and for quoting alike. */
const pricing = (world: World): readonly Rule[] => [
  ['a SKU that does not exist', lines({ sku: 'NONE' }), 422, 'UNKNOWN_SKU'],
  ['a SKU in other case', lines({ sku: 'mug' }), 422, 'UNKNOWN_SKU'],
  ['a SKU with a space behind it', lines({ sku: 'MUG ' }), 422, 'UNKNOWN_SKU'],
  ['a SKU that looks the same', lines({ sku: 'MUG\u200b' }), 422, 'UNKNOWN_SKU'],
  ['a SKU of Cyrillic letters', lines({ sku: 'МUG' }), 422, 'UNKNOWN_SKU'],
  ['a SKU of another tenant', lines({ sku: 'THEIRS' }), 422, 'UNKNOWN_SKU'],
  ['a draft product', lines({ sku: 'DRAFT' }), 422, 'UNKNOWN_SKU'],
  ['an archived product', lines({ sku: 'GONE' }), 422, 'UNKNOWN_SKU'],
  ['an injection for a SKU', lines({ sku: "' or '1'='1" }), 422, 'UNKNOWN_SKU'],
  ['one unknown SKU among known ones', { lines: [...line(), ...line({ sku: 'NONE' }), ...line()] }, 422, 'UNKNOWN_SKU'],
  ['a product without a price', lines({ sku: 'FREE' }), 422, 'PRICE_MISSING'],
  ['a currency without prices', { currency: 'EUR' }, 422, 'PRICE_MISSING'],
  ['a currency that does not exist', { currency: 'ZZZ' }, 422, 'PRICE_MISSING'],
  ['a price in another currency', lines(price(100, 'EUR')), 422, 'CURRENCY_MISMATCH'],
  ['two currencies in one order', { lines: [...line(price(1)), ...line(price(1, 'USD'))] }, 422, 'CURRENCY_MISMATCH'],
  ['an order currency against its prices', { currency: 'EUR', ...lines(price(1)) }, 422, 'CURRENCY_MISMATCH'],
  [
    'a sum beyond exact integers',
    lines({ ...price(1_000_000_000_000), sku: 'POSTAGE', quantity: 1_000_000 }),
    422,
    'AMOUNT_TOO_LARGE',
  ],
  [
    'a discount of more than the line',
    lines({ discount: { amount: 1_001, currency: 'GBP' } }),
    422,
    'DISCOUNT_TOO_LARGE',
  ],
  ['a tax in another currency', lines({ tax: { amount: 1, currency: 'EUR' } }), 422, 'CURRENCY_MISMATCH'],
  [
    'discounts of more than the order',
    { discounts: [{ description: 'all', amount: { amount: 1_001, currency: 'GBP' } }] },
    422,
    'DISCOUNT_TOO_LARGE',
  ],
  ['a location that does not exist', { locationId: absent('loc') }, 422, 'UNKNOWN_LOCATION'],
  ['a location of another tenant', { locationId: world.otherLocationId }, 422, 'UNKNOWN_LOCATION'],
  invalid('a negative price', lines(price(-1))),
  invalid('a price with cents behind a point', lines(price(9.99))),
  invalid('a price as text', lines({ unitPrice: { amount: '100', currency: 'GBP' } })),
  invalid('a price without a currency', lines({ unitPrice: { amount: 100 } })),
  invalid('a price as a bare number', lines({ unitPrice: 100 })),
  invalid('a price beyond the largest amount', lines(price(1_000_000_000_001))),
  invalid('a quantity of zero', lines({ quantity: 0 })),
  invalid('a negative quantity', lines({ quantity: -1 })),
  invalid('half a unit', lines({ quantity: 0.5 })),
  invalid('a quantity beyond a million', lines({ quantity: 1_000_001 })),
  invalid('a quantity of 2^31', lines({ quantity: 2_147_483_648 })),
  invalid('no lines', { lines: [] }),
  invalid('lines that are no list', { lines: { 0: line()[0] } }),
  invalid('a list within the list of lines', { lines: [line()] }),
  invalid('a null among the lines', { lines: [...line(), null] }),
  invalid('1,001 lines', { lines: Array.from({ length: 1_001 }, () => line()[0]) }),
  invalid('a total of the client', { total: { amount: 1, currency: 'GBP' } }),
  invalid('totals of the client', { totals: { total: { amount: 1, currency: 'GBP' } } }),
  invalid('a discount of the client', { discount: 100 }),
  invalid('a discount on a line as a bare number', lines({ discount: 100 })),
  invalid('a negative discount on a line', lines({ discount: { amount: -1, currency: 'GBP' } })),
  invalid('a negative tax on a line', lines({ tax: { amount: -1, currency: 'GBP' } })),
  invalid('a discount without a description', { discounts: [{ amount: { amount: 1, currency: 'GBP' } }] }),
  invalid('a negative amount of shipping', {
    shipping: [{ description: 'Parcel', amount: { amount: -1, currency: 'GBP' } }],
  }),
  invalid('a line total', lines({ total: { amount: 1, currency: 'GBP' } })),
  invalid('a title on a line', lines({ title: 'cheap' })),
  invalid('an id on a line', lines({ id: absent('lin') })),
  invalid('a product id for a SKU', lines({ sku: undefined, productId: absent('prd') })),
  invalid('payment terms that do not exist', { paymentTerms: 'credit' }),
  invalid('an organization id', { organizationId: absent('org') }),
]

/** Rules of placing alone. */
const placing: readonly Rule[] = [
  ['more than there is', lines({ quantity: 11 }), 409, 'OUT_OF_STOCK'],
  [
    'more than there is, over two lines',
    { lines: [...line({ quantity: 5 }), ...line({ quantity: 6 })] },
    409,
    'OUT_OF_STOCK',
  ],
  [
    'one line that is there and one that is not',
    { lines: [...line(), ...line({ sku: 'POSTAGE' }), ...line({ quantity: 10 })] },
    409,
    'OUT_OF_STOCK',
  ],
  ['an external id that was used', { source: 'shop', externalId: 'E-1' }, 409, 'DUPLICATE_EXTERNAL_ID'],
  invalid('a source without an external id', { source: 'shop' }),
  invalid('an external id without a source', { externalId: 'E-2' }),
  invalid('a source with a space', { source: 'web shop', externalId: 'E-2' }),
  invalid('a source that begins with a dot', { source: '.shop', externalId: 'E-2' }),
  invalid('an external id with a newline', { source: 'shop', externalId: 'E\n2' }),
  invalid('a status', { status: 'completed' }),
  invalid('a number', { number: '20260115-AAAAAAAA' }),
  invalid('an id', { id: absent('ord') }),
  invalid('a time of placing', { placedAt: '2020-01-01T00:00:00.000Z' }),
  invalid('a time of expiry', { expiresAt: '2099-01-01T00:00:00.000Z' }),
  invalid('a version', { version: 7 }),
  invalid('a customer by id', { customer: { id: absent('cus') } }),
  invalid('a customer as text', { customer: 'someone' }),
  invalid('an email without a domain', { customer: { email: 'someone' } }),
  invalid('an email with a header in it', { customer: { email: 'a@example.com\r\nBcc: b@example.com' } }),
  invalid('an email of 255 characters', { customer: { email: `${'a'.repeat(243)}@example.com` } }),
  invalid('an address without a city', { shippingAddress: { line1: 'x', country: 'GB' } }),
  invalid('a country in lower case', { shippingAddress: { line1: 'x', city: 'x', country: 'gb' } }),
  invalid('a country by name', { billingAddress: { line1: 'x', city: 'x', country: 'United Kingdom' } }),
  invalid('notes of 2,001 characters', { notes: 'x'.repeat(2_001) }),
  invalid('metadata that is a list', { metadata: ['a'] }),
  invalid('metadata with an object in it', { metadata: { a: { b: 'c' } } }),
  invalid('metadata with a number in it', { metadata: { a: 1 } }),
  invalid('metadata of 51 keys', {
    metadata: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])),
  }),
  invalid('metadata with a value of 1,001 characters', { metadata: { a: 'x'.repeat(1_001) } }),
]

/** What makes an order unreadable makes the batch it stands in unreadable, and nothing of the batch is placed. */
export function batchRules(world: World): readonly HandCase[] {
  const base = { paymentTerms: 'onAccount', lines: line() }
  const batch = (
    name: string,
    orders: unknown,
    status = 422,
    code = 'VALIDATION_FAILED',
    more: Partial<HandCase> = {},
  ) => refused(`orders.placeBatch: ${name}`, 'POST', '/v1/orders/batch', { orders }, status, code, more)
  const unreadable = [...pricing(world), ...placing].filter(([, , , code]) => code === 'VALIDATION_FAILED')
  return [
    ...unreadable.map(([name, change]) => batch(`${name}, among good orders`, [base, { ...base, ...change }, base])),
    batch('no orders', []),
    batch('orders that are no list', { 0: base }),
    batch('an order for orders', base),
    batch('a batch within a batch', [{ orders: [base] }]),
    batch('a null among the orders', [base, null]),
    batch(
      '501 orders',
      Array.from({ length: 501 }, () => base),
    ),
    batch('no key', [base], 400, 'IDEMPOTENCY_KEY_REQUIRED', { headers: { 'idempotency-key': '' } }),
    batch('the key of an order', [base], 422, 'IDEMPOTENCY_KEY_REUSED', {
      headers: { 'idempotency-key': world.usedIdempotencyKey },
    }),
    refused('orders.placeBatch: a list for a body', 'POST', '/v1/orders/batch', [base], 422, 'VALIDATION_FAILED'),
    refused('orders.placeBatch: an order for a body', 'POST', '/v1/orders/batch', base, 422, 'VALIDATION_FAILED'),
  ]
}

export function orderRules(world: World): readonly HandCase[] {
  const base = { paymentTerms: 'onAccount', lines: line() }
  const post = (name: string, url: string, body: unknown, status: number, code: string, more: Partial<HandCase> = {}) =>
    refused(name, 'POST', url, body, status, code, more)
  const place = ([name, change, status, code]: Rule) =>
    post(`orders.place: ${name}`, '/v1/orders', { ...base, ...change }, status, code)
  const quote = ([name, change, status, code]: Rule) =>
    post(`orders.quote: ${name}`, '/v1/orders/quote', { ...base, ...change }, status, code)
  const cancel = (name: string, id: string, status: number, code: string, headers = {}, body: unknown = {}) =>
    post(`orders.cancel: ${name}`, `/v1/orders/${id}/cancel`, body, status, code, { headers })
  const used = { 'idempotency-key': world.usedIdempotencyKey }
  return [
    ...[...pricing(world), ...placing].map(place),
    ...pricing(world).map(quote),
    post(
      'orders.place: a price without the scope for it',
      '/v1/orders',
      { ...base, ...lines(price(1)) },
      403,
      'PRICE_NOT_ALLOWED',
      { key: world.limitedKey },
    ),
    post(
      'orders.quote: a price without the scope for it',
      '/v1/orders/quote',
      { ...base, ...lines(price(1)) },
      403,
      'PRICE_NOT_ALLOWED',
      { key: world.limitedKey },
    ),
    post('orders.place: the key of another order', '/v1/orders', base, 422, 'IDEMPOTENCY_KEY_REUSED', {
      headers: used,
    }),
    cancel('the key of an order', world.orderId, 422, 'IDEMPOTENCY_KEY_REUSED', used),
    cancel('an order that was cancelled', world.cancelledOrderId, 409, 'ORDER_NOT_CANCELLABLE'),
    cancel('an order that does not exist', absent('ord'), 404, 'ORDER_NOT_FOUND'),
    cancel('an order of another tenant', world.otherOrderId, 404, 'ORDER_NOT_FOUND'),
    cancel('a stale version', world.orderId, 412, 'PRECONDITION_FAILED', { 'if-match': '"1"' }),
    cancel('a version to come', world.orderId, 412, 'PRECONDITION_FAILED', { 'if-match': '"99"' }),
    cancel('a number for a reason', world.orderId, 422, 'VALIDATION_FAILED', {}, { reason: 7 }),
    cancel('a refund along with it', world.orderId, 422, 'VALIDATION_FAILED', {}, { refund: true }),
    cancel('a list of reasons', world.orderId, 422, 'VALIDATION_FAILED', {}, { reason: ['a'] }),
    ...[
      ['get', ''],
      ['timeline', '/timeline'],
    ].flatMap(([verb, path]): HandCase[] => [
      {
        name: `orders.${verb}: absent`,
        method: 'GET',
        url: `/v1/orders/${absent('ord')}${path}`,
        status: 404,
        code: 'ORDER_NOT_FOUND',
      },
      {
        name: `orders.${verb}: another tenant's`,
        method: 'GET',
        url: `/v1/orders/${world.otherOrderId}${path}`,
        status: 404,
        code: 'ORDER_NOT_FOUND',
      },
    ]),
    ...['shop/NONE', 'other/E-1', 'SHOP/E-1', 'shop/e-1', 'shop/E-1%20'].map(
      (path): HandCase => ({
        name: `orders.getByExternalId: ${path}`,
        method: 'GET',
        url: `/v1/orders/external/${path}`,
        status: 404,
        code: 'ORDER_NOT_FOUND',
      }),
    ),
  ]
}
