import { absent, type HandCase, refused, type World } from './world.ts'

export function stockRules({ tenant, otherLocationId }: World): readonly HandCase[] {
  const mug = `/v1/stock/MUG/${tenant.locationId}`
  const elsewhere: readonly (readonly [name: string, level: string])[] = [
    ['a SKU without stock', `/v1/stock/POSTAGE/${tenant.locationId}`],
    ['a SKU that does not exist', `/v1/stock/NONE/${tenant.locationId}`],
    ['a SKU in other case', `/v1/stock/mug/${tenant.locationId}`],
    ['an encoded injection', `/v1/stock/${encodeURIComponent("' or '1'='1")}/${tenant.locationId}`],
    ['an absent location', `/v1/stock/MUG/${absent('loc')}`],
    ["another tenant's location", `/v1/stock/MUG/${otherLocationId}`],
    ["another tenant's SKU", `/v1/stock/THEIRS/${tenant.locationId}`],
  ]
  const level = (sku: string, locationId: string, onHand: unknown = 1) => ({ sku, locationId, onHand })
  const batch = (name: string, levels: unknown, status: number, code: string) =>
    refused(`stock.setBatch: ${name}`, 'POST', '/v1/stock/batch', { levels }, status, code)
  const adjust = (name: string, change: unknown, status: number, code: string, headers = {}) =>
    refused(`stock.adjustLevel: ${name}`, 'POST', `${mug}/adjust`, change, status, code, { headers })
  const set = (
    name: string,
    url: string,
    body: unknown,
    status: number,
    code: string,
    headers: HandCase['headers'] = {},
  ) => refused(`stock.setLevel: ${name}`, 'PUT', url, body, status, code, { headers })
  return [
    ...elsewhere.flatMap(([name, url]) => [
      refused(`stock.getLevel: ${name}`, 'GET', url, undefined, 404, 'STOCK_LEVEL_NOT_FOUND'),
      refused(`stock.adjustLevel: ${name}`, 'POST', `${url}/adjust`, { change: 1 }, 404, 'STOCK_LEVEL_NOT_FOUND'),
      refused(`stock.listMovements: ${name}`, 'GET', `${url}/movements`, undefined, 404, 'STOCK_LEVEL_NOT_FOUND'),
    ]),
    ...elsewhere.slice(1).map(([name, url]) => set(name, url, { onHand: 1 }, 422, 'UNKNOWN_STOCK_ITEM')),
    set('no version of a level that exists', mug, { onHand: 1 }, 428, 'PRECONDITION_REQUIRED'),
    set('a stale version', mug, { onHand: 1 }, 412, 'PRECONDITION_FAILED', { 'if-match': '"99"' }),
    set(
      'a version of a level that does not exist',
      `/v1/stock/POSTAGE/${tenant.locationId}`,
      { onHand: 1 },
      412,
      'PRECONDITION_FAILED',
      { 'if-match': '"1"' },
    ),
    set('fewer than none', mug, { onHand: -1 }, 422, 'VALIDATION_FAILED', { 'if-match': '*' }),
    set('reserved by the client', mug, { onHand: 1, reserved: 0 }, 422, 'VALIDATION_FAILED', { 'if-match': '*' }),
    set('available by the client', mug, { onHand: 1, available: 9 }, 422, 'VALIDATION_FAILED', { 'if-match': '*' }),
    set('a negative safety stock', mug, { onHand: 1, safetyStock: -1 }, 422, 'VALIDATION_FAILED', { 'if-match': '*' }),
    set('another SKU in the body', mug, { onHand: 1, sku: 'POSTAGE' }, 422, 'VALIDATION_FAILED', { 'if-match': '*' }),
    adjust('more taken than there is', { change: -11 }, 409, 'INSUFFICIENT_ON_HAND'),
    adjust('as much taken as an integer holds', { change: -1_000_000_000 }, 409, 'INSUFFICIENT_ON_HAND'),
    adjust('more added than a level holds', { change: 1_000_000_000 }, 422, 'STOCK_LIMIT_EXCEEDED'),
    adjust('more than one adjustment may add', { change: 1_000_000_001 }, 422, 'VALIDATION_FAILED'),
    adjust('a movement of the service', { change: 1, type: 'reserve' }, 422, 'VALIDATION_FAILED'),
    adjust('a movement that consumes', { change: -1, type: 'consume' }, 422, 'VALIDATION_FAILED'),
    adjust('both a change and a count', { change: 1, onHand: 5 }, 422, 'VALIDATION_FAILED'),
    adjust('an order it belongs to', { change: 1, orderId: absent('ord') }, 422, 'VALIDATION_FAILED'),
    adjust('a stale version', { change: 1 }, 412, 'PRECONDITION_FAILED', { 'if-match': '"99"' }),
    adjust('a version that is none', { change: 1 }, 400, 'MALFORMED_REQUEST', { 'if-match': 'latest' }),
    batch(
      'the same level twice',
      [level('MUG', tenant.locationId), level('MUG', tenant.locationId, 2)],
      422,
      'REPEATED_LEVEL',
    ),
    batch(
      'one unknown SKU',
      [level('MUG', tenant.locationId), level('NONE', tenant.locationId)],
      422,
      'UNKNOWN_STOCK_ITEM',
    ),
    batch(
      'one unknown location',
      [level('MUG', tenant.locationId), level('MUG', absent('loc'))],
      422,
      'UNKNOWN_STOCK_ITEM',
    ),
    batch("another tenant's location", [level('MUG', otherLocationId)], 422, 'UNKNOWN_STOCK_ITEM'),
    batch("another tenant's SKU", [level('THEIRS', tenant.locationId)], 422, 'UNKNOWN_STOCK_ITEM'),
    batch(
      'one negative count',
      [level('MUG', tenant.locationId), level('POSTAGE', tenant.locationId, -1)],
      422,
      'VALIDATION_FAILED',
    ),
    batch('no levels', [], 422, 'VALIDATION_FAILED'),
    batch(
      '1,001 levels',
      Array.from({ length: 1_001 }, (_, index) => level(`S${index}`, tenant.locationId)),
      422,
      'VALIDATION_FAILED',
    ),
    refused(
      'stock.setBatch: no key',
      'POST',
      '/v1/stock/batch',
      { levels: [level('MUG', tenant.locationId)] },
      400,
      'IDEMPOTENCY_KEY_REQUIRED',
      {
        headers: { 'idempotency-key': '' },
      },
    ),
    refused('locations.get: absent', 'GET', `/v1/locations/${absent('loc')}`, undefined, 404, 'LOCATION_NOT_FOUND'),
    refused(
      "locations.get: another tenant's",
      'GET',
      `/v1/locations/${otherLocationId}`,
      undefined,
      404,
      'LOCATION_NOT_FOUND',
    ),
    refused(
      'locations.create: a default by word',
      'POST',
      '/v1/locations',
      { name: 'x', isDefault: 'yes' },
      422,
      'VALIDATION_FAILED',
    ),
    refused(
      'locations.create: an id',
      'POST',
      '/v1/locations',
      { name: 'x', id: absent('loc') },
      422,
      'VALIDATION_FAILED',
    ),
  ]
}
