import { absent, type HandCase, refused, type World } from './world.ts'

type More = Partial<HandCase>
const any = { headers: { 'if-match': '*' } }
const stale = { headers: { 'if-match': '"99"' } }
const pounds = (amount: unknown) => ({ amount, currency: 'GBP' })

/** What may not be done to a product that is there. */
export function productChangeRules(world: World): readonly HandCase[] {
  const update = (
    name: string,
    body: unknown,
    status = 422,
    code = 'VALIDATION_FAILED',
    more: More = any,
    id = world.productId,
  ) => refused(`products.update: ${name}`, 'PATCH', `/v1/products/${id}`, body, status, code, more)
  const archive = (name: string, id: string, status: number, code: string, more: More = {}, body?: unknown) =>
    refused(`products.archive: ${name}`, 'POST', `/v1/products/${id}/archive`, body, status, code, more)
  const title = { title: 'x' }
  return [
    update('nothing', {}),
    update('no version', title, 428, 'PRECONDITION_REQUIRED', {}),
    update('a stale version', title, 412, 'PRECONDITION_FAILED', stale),
    update('a weak version that is none', title, 400, 'MALFORMED_REQUEST', { headers: { 'if-match': 'W/x' } }),
    update('a product that does not exist', title, 404, 'PRODUCT_NOT_FOUND', any, absent('prd')),
    update("another tenant's product", title, 404, 'PRODUCT_NOT_FOUND', any, world.otherProductId),
    update('a product by its SKU', title, 422, 'VALIDATION_FAILED', any, 'MUG'),
    update('another SKU', { sku: 'CUP' }),
    update('an id', { id: absent('prd') }),
    update('a version in the body', { ...title, version: 1 }),
    update('no title left', { title: '' }),
    update('a title of null', { title: null }),
    update('a title of 501 characters', { title: 'x'.repeat(501) }),
    update('a description of 10,001 characters', { description: 'x'.repeat(10_001) }),
    update('a status of null', { status: null }),
    update('a status that is none', { status: 'sold' }),
    update('a stock policy of null', { stockPolicy: null }),
    update('a stock policy that is none', { stockPolicy: 'preorder' }),
    update('prices of null', { prices: null }),
    update('one price without a list', { prices: pounds(1) }),
    update('a negative price', { prices: [pounds(-1)] }),
    update('a price with pence behind a point', { prices: [pounds(9.99)] }),
    update('a price beyond the largest amount', { prices: [pounds(1_000_000_000_001)] }),
    update('a price as text', { prices: [pounds('100')] }),
    update('two prices in one currency', { prices: [pounds(1), pounds(2)] }, 422, 'REPEATED_ENTRY'),
    update('a currency in lower case', { prices: [{ amount: 1, currency: 'gbp' }] }),
    update('attributes of null', { attributes: null }),
    update('attributes as a list', { attributes: ['blue'] }),
    update('an attribute that is a number', { attributes: { size: 42 } }),
    update('an attribute of 1,001 characters', { attributes: { size: 'x'.repeat(1_001) } }),
    update('one attribute by a dotted path', { 'attributes.colour': 'blue' }),
    update('stock along with it', { ...title, onHand: 1 }),
    archive('a product that is archived', world.archivedProductId, 409, 'PRODUCT_ARCHIVED'),
    archive('a product that does not exist', absent('prd'), 404, 'PRODUCT_NOT_FOUND'),
    archive("another tenant's product", world.otherProductId, 404, 'PRODUCT_NOT_FOUND'),
    archive('a stale version', world.productId, 412, 'PRECONDITION_FAILED', stale),
    archive('a reason nobody reads', world.productId, 422, 'VALIDATION_FAILED', {}, { reason: 'x' }),
    archive('a product by its SKU', 'MUG', 422, 'VALIDATION_FAILED'),
    refused(
      "products.get: another tenant's",
      'GET',
      `/v1/products/${world.otherProductId}`,
      undefined,
      404,
      'PRODUCT_NOT_FOUND',
    ),
  ]
}

export function reservationRules(world: World): readonly HandCase[] {
  const reserve = (name: string, change: object, status = 422, code = 'VALIDATION_FAILED', more: More = {}) =>
    refused(
      `reservations.create: ${name}`,
      'POST',
      '/v1/reservations',
      { sku: 'MUG', quantity: 1, ...change },
      status,
      code,
      more,
    )
  const release = (name: string, id: string, status: number, code: string, more: More = {}, body?: unknown) =>
    refused(`reservations.release: ${name}`, 'POST', `/v1/reservations/${id}/release`, body, status, code, more)
  const get = (name: string, id: string, status: number, code: string) =>
    refused(`reservations.get: ${name}`, 'GET', `/v1/reservations/${id}`, undefined, status, code)
  const [unknown, scarce] = ['UNKNOWN_STOCK_ITEM', 'OUT_OF_STOCK']
  return [
    reserve('more than there is', { quantity: 11 }, 409, scarce),
    reserve('what others hold', { quantity: 9 }, 409, scarce),
    reserve('a SKU without stock', { sku: 'POSTAGE' }, 409, scarce),
    reserve('a SKU that does not exist', { sku: 'NONE' }, 422, unknown),
    reserve('a SKU in other case', { sku: 'mug' }, 422, unknown),
    reserve("another tenant's SKU", { sku: 'THEIRS' }, 422, unknown),
    reserve('a location that does not exist', { locationId: absent('loc') }, 422, unknown),
    reserve("another tenant's location", { locationId: world.otherLocationId }, 422, unknown),
    reserve('no unit', { quantity: 0 }),
    reserve('a negative quantity', { quantity: -1 }),
    reserve('half a unit', { quantity: 0.5 }),
    reserve('a quantity of 2^31', { quantity: 2_147_483_648 }),
    reserve('a quantity as text', { quantity: '1' }),
    reserve('no quantity', { quantity: undefined }),
    reserve('no SKU', { sku: undefined }),
    reserve('a product id for a SKU', { sku: undefined, productId: world.productId }),
    reserve('no time at all', { expiresInMinutes: 0 }),
    reserve('a time that has passed', { expiresInMinutes: -1 }),
    reserve('a time without end', { expiresInMinutes: null }),
    reserve('a year', { expiresInMinutes: 525_600 }),
    reserve('half a minute', { expiresInMinutes: 0.5 }),
    reserve('a time of day', { expiresAt: '2035-01-15T09:30:00.000Z' }),
    reserve('an order it belongs to', { orderId: world.orderId }),
    reserve('a state', { state: 'firm' }),
    reserve('an id', { id: absent('rsv') }),
    reserve('several SKUs at once', { sku: ['MUG', 'POSTAGE'] }),
    reserve('metadata with a number in it', { metadata: { a: 1 } }),
    reserve('no key', {}, 400, 'IDEMPOTENCY_KEY_REQUIRED', { headers: { 'idempotency-key': '' } }),
    reserve('the key of an order', {}, 422, 'IDEMPOTENCY_KEY_REUSED', {
      headers: { 'idempotency-key': world.usedIdempotencyKey },
    }),
    release('a reservation that was released', world.releasedReservationId, 409, 'RESERVATION_NOT_HELD'),
    release('the reservation of an order', world.orderReservationId, 409, 'RESERVATION_OF_ORDER'),
    release('a reservation that does not exist', absent('rsv'), 404, 'RESERVATION_NOT_FOUND'),
    release("another tenant's reservation", world.otherReservationId, 404, 'RESERVATION_NOT_FOUND'),
    release('a stale version', world.reservationId, 412, 'PRECONDITION_FAILED', stale),
    release('part of it', world.reservationId, 422, 'VALIDATION_FAILED', {}, { quantity: 1 }),
    release('no key', world.reservationId, 400, 'IDEMPOTENCY_KEY_REQUIRED', { headers: { 'idempotency-key': '' } }),
    get('absent', absent('rsv'), 404, 'RESERVATION_NOT_FOUND'),
    get("another tenant's", world.otherReservationId, 404, 'RESERVATION_NOT_FOUND'),
    get('by SKU', 'MUG', 422, 'VALIDATION_FAILED'),
  ]
}

/** Filters and orders that lists do not have. */
export function listRules(world: World): readonly HandCase[] {
  const wrong: readonly (readonly [operation: string, url: string, queries: readonly string[]])[] = [
    ['orders.list', '/v1/orders', [...orderQueries, 'page=1', 'offset=20']],
    [
      'orders.tabulate',
      '/v1/orders/table',
      [...orderQueries, 'page=0', 'pageSize=101', 'page=501&pageSize=20', 'limit=20'],
    ],
    [
      'products.list',
      '/v1/products',
      ['status=deleted', 'status=active,draft', 'sku=', 'q=', 'sort=title', 'stockPolicy=deny'],
    ],
    [
      'stock.listLevels',
      '/v1/stock',
      ['sku=', `locationId=${world.orderId}`, 'available=0', 'sort=sku', 'condition=low'],
    ],
    ['stock.listAllMovements', '/v1/stock/movements', [...movementQueries, `locationId=${world.orderId}`]],
    [
      'reservations.list',
      '/v1/reservations',
      ['state=open', 'state=HELD', `orderId=${world.reservationId}`, 'sku=', 'sort=id'],
    ],
    ['locations.list', '/v1/locations', ['isDefault=true', 'name=Main', 'sort=name']],
    ['apiKeys.list', '/v1/api-keys', ['scopes=orders:read', 'revoked=false', 'secret=x']],
  ]
  return wrong.flatMap(([operation, url, queries]) =>
    queries.map((query) =>
      refused(`${operation}: ${query}`, 'GET', `${url}?${query}`, undefined, 422, 'VALIDATION_FAILED'),
    ),
  )
}

const orderQueries = [
  'status=open',
  'status=pending,confirmed',
  'status=Pending',
  'sort=total',
  'sort=-placedAt,id',
  'sort=placed_at',
  'placedFrom=yesterday',
  'placedFrom=2026-01-15',
  'placedTo=2026-01-15T09:30:00%2B02:00',
  'email=nobody',
  'q=ab',
  'q=a%09bc',
  'source=web%20shop',
  'total=100',
  'customerId=cus_01jd0000000000000000000000',
]
const movementQueries = ['type=sale', 'type=RESERVE', 'from=today', 'to=1700000000', 'sort=occurredAt', 'reason=x']
