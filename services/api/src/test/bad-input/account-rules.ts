import { absent, type HandCase, refused, type World } from './world.ts'

const product = { sku: 'NEW', title: 'New', prices: [{ amount: 1, currency: 'GBP' }] }
const twoPrices = [
  { amount: 1, currency: 'GBP' },
  { amount: 2, currency: 'GBP' },
]

export function productRules(): readonly HandCase[] {
  const create = (name: string, change: object, status = 422, code = 'VALIDATION_FAILED') =>
    refused(`products.create: ${name}`, 'POST', '/v1/products', { ...product, ...change }, status, code)
  const upsert = (name: string, products: unknown, status = 422, code = 'VALIDATION_FAILED') =>
    refused(`products.upsertBatch: ${name}`, 'POST', '/v1/products/batch', { products }, status, code)
  return [
    create('a SKU that is taken', { sku: 'MUG' }, 409, 'DUPLICATE_SKU'),
    create('a SKU of an archived product', { sku: 'GONE' }, 409, 'DUPLICATE_SKU'),
    create('two prices in one currency', { prices: twoPrices }, 422, 'REPEATED_ENTRY'),
    create('51 prices', { prices: Array.from({ length: 51 }, () => product.prices[0]) }),
    create('a negative price', { prices: [{ amount: -1, currency: 'GBP' }] }),
    create('prices by currency', { prices: { GBP: 1 } }),
    create('a currency symbol', { prices: [{ amount: 1, currency: '£' }] }),
    create('a SKU with a tab', { sku: 'A\tB' }),
    create('a SKU with DEL', { sku: 'A\u007f' }),
    create('a status that is none', { status: 'deleted' }),
    create('a stock policy that is not offered', { stockPolicy: 'allow' }),
    create('a title of white-space length zero', { title: '' }),
    create('attributes within attributes', { attributes: { size: { eu: '42' } } }),
    create('101 attributes', {
      attributes: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, 'v'])),
    }),
    create('an attribute without a name', { attributes: { '': 'x' } }),
    create('an image by URL', { images: ['http://169.254.169.254/'] }),
    create('stock along with it', { onHand: 5 }),
    upsert('one SKU twice', [product, { ...product, title: 'Other' }], 422, 'REPEATED_ENTRY'),
    upsert('two prices in one currency', [{ ...product, prices: twoPrices }], 422, 'REPEATED_ENTRY'),
    upsert('one bad product among good ones', [product, { ...product, sku: 'B', title: '' }]),
    upsert('a product without prices', [{ sku: 'C', title: 'c' }]),
    upsert('no products', []),
    upsert(
      '1,001 products',
      Array.from({ length: 1_001 }, (_, index) => ({ ...product, sku: `S${index}` })),
    ),
    refused('products.get: absent', 'GET', `/v1/products/${absent('prd')}`, undefined, 404, 'PRODUCT_NOT_FOUND'),
    refused('products.get: by SKU', 'GET', '/v1/products/MUG', undefined, 422, 'VALIDATION_FAILED'),
  ]
}

const noRanges = [
  '',
  '10.0.0.0',
  '10.0.0.0/',
  '/8',
  '10.0.0.0/33',
  '10.0.0.0/999',
  '10.0.0.0/-1',
  '10.0.0.0/8.0',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '10/8',
  '256.0.0.0/8',
  '010.0.0.0/8',
  '0x0a.0.0.0/8',
  '10.0.0.0/0x8',
  '10.0.0.0/255.0.0.0',
  ' 10.0.0.0/8',
  '10.0.0.0/8 ',
  '10.0.0.0 /8',
  '1２.0.0.0/8',
  '::/129',
  ':::/64',
  '::1',
  'fe80::1%eth0/64',
  '2001:db8::/32%0',
  '[::1]/128',
  'localhost/8',
  'example.com/24',
  '*',
  '0.0.0.0-255.255.255.255',
  "' or 1=1",
]

export function accountRules(world: World): readonly HandCase[] {
  const key = { name: 'x', scopes: ['orders:read'] }
  const create = (
    name: string,
    change: object,
    status = 422,
    code = 'VALIDATION_FAILED',
    more: Partial<HandCase> = {},
  ) => refused(`apiKeys.create: ${name}`, 'POST', '/v1/api-keys', { ...key, ...change }, status, code, more)
  const rotate = (
    name: string,
    id: string,
    body: unknown,
    status: number,
    code: string,
    more: Partial<HandCase> = {},
  ) => refused(`apiKeys.rotate: ${name}`, 'POST', `/v1/api-keys/${id}/rotate`, body, status, code, more)
  const change = (
    name: string,
    body: unknown,
    status: number,
    code: string,
    headers: HandCase['headers'] = { 'if-match': '*' },
  ) => refused(`organization.update: ${name}`, 'PATCH', '/v1/organization', body, status, code, { headers })
  return [
    ...noRanges.map((cidr) =>
      create(`the range ${JSON.stringify(cidr)}`, { allowedCidrs: ['10.0.0.0/8', cidr] }, 422, 'INVALID_CIDR'),
    ),
    create('a scope its creator lacks', { scopes: ['stock:write'] }, 403, 'SCOPE_NOT_HELD', { key: world.limitedKey }),
    create(
      'a scope its creator lacks among others',
      { scopes: ['orders:read', 'products:write'] },
      403,
      'SCOPE_NOT_HELD',
      { key: world.limitedKey },
    ),
    create('a scope that does not exist', { scopes: ['orders:delete'] }),
    create('every scope by an asterisk', { scopes: ['*'] }),
    create('a scope in other case', { scopes: ['Orders:Read'] }),
    create('a scope twice', { scopes: ['orders:read', 'orders:read'] }),
    create('scopes as text', { scopes: 'orders:read orders:write' }),
    create('no scopes', { scopes: [] }),
    create('a secret of its own', { secret: `sk_live_${'A'.repeat(46)}` }),
    create('a principal', { principalId: absent('usr') }),
    create('an id', { id: absent('key') }),
    create('a rate limit of zero', { rateLimitPerMinute: 0 }),
    create('a rate limit of null', { rateLimitPerMinute: null }),
    create('an expiry that has passed', { expiresAt: '2020-01-01T00:00:00.000Z' }, 422, 'INVALID_EXPIRY'),
    create('an expiry before Christ', { expiresAt: '0000-01-01T00:00:00.000Z' }, 422, 'INVALID_EXPIRY'),
    create('51 ranges', { allowedCidrs: Array.from({ length: 51 }, () => '10.0.0.0/8') }),
    rotate('a key that was revoked', world.revokedKeyId, {}, 409, 'API_KEY_REVOKED'),
    rotate('a key that has expired', world.expiredKeyId, {}, 409, 'API_KEY_REVOKED'),
    rotate('a key that does not exist', absent('key'), {}, 404, 'API_KEY_NOT_FOUND'),
    rotate("another tenant's key", world.otherKeyId, {}, 404, 'API_KEY_NOT_FOUND'),
    rotate('a key that may do more', world.tenant.keyId, {}, 403, 'SCOPE_NOT_HELD', { key: world.limitedKey }),
    rotate('an overlap of less than nothing', world.tenant.keyId, { overlapSeconds: -1 }, 422, 'VALIDATION_FAILED'),
    rotate('an overlap beyond a week', world.tenant.keyId, { overlapSeconds: 604_801 }, 422, 'VALIDATION_FAILED'),
    rotate('new scopes', world.tenant.keyId, { scopes: ['orders:read'] }, 422, 'VALIDATION_FAILED'),
    refused(
      'apiKeys.revoke: absent',
      'POST',
      `/v1/api-keys/${absent('key')}/revoke`,
      undefined,
      404,
      'API_KEY_NOT_FOUND',
    ),
    refused(
      "apiKeys.revoke: another tenant's",
      'POST',
      `/v1/api-keys/${world.otherKeyId}/revoke`,
      undefined,
      404,
      'API_KEY_NOT_FOUND',
    ),
    refused(
      "apiKeys.get: another tenant's",
      'GET',
      `/v1/api-keys/${world.otherKeyId}`,
      undefined,
      404,
      'API_KEY_NOT_FOUND',
    ),
    change('nothing', {}, 422, 'VALIDATION_FAILED'),
    change('another currency', { currency: 'EUR' }, 422, 'VALIDATION_FAILED'),
    change('another id', { id: absent('org') }, 422, 'VALIDATION_FAILED'),
    change('a JSON patch', [{ op: 'replace', path: '/name', value: 'x' }], 422, 'VALIDATION_FAILED'),
    change('no version', { name: 'x' }, 428, 'PRECONDITION_REQUIRED', {}),
    change('a stale version', { name: 'x' }, 412, 'PRECONDITION_FAILED', { 'if-match': '"99"' }),
    change('a list of stale versions', { name: 'x' }, 412, 'PRECONDITION_FAILED', { 'if-match': '"98", "99.abc"' }),
    change('no name left', { name: '' }, 422, 'VALIDATION_FAILED'),
    change('a name of null', { name: null }, 422, 'VALIDATION_FAILED'),
  ]
}
