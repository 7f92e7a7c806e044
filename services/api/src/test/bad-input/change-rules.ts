import { absent, type HandCase, refused, type World } from './world.ts'

type More = Partial<HandCase>
const any = { headers: { 'if-match': '*' } }
const stale = { headers: { 'if-match': '"99"' } }
const priced = (amount: number, currency = 'GBP') => ({ amount, currency })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))

/** What may not be done to an order that is there. */
export function orderChangeRules(world: World): readonly HandCase[] {
  return [...updates(world), ...steps(world), ...lineCancellations(world), ...holds(world)]
}

function updates(world: World): readonly HandCase[] {
  const update = (
    name: string,
    body: unknown,
    status = 422,
    code = 'VALIDATION_FAILED',
    more: More = any,
    id = world.orderId,
  ) => refused(`orders.update: ${name}`, 'PATCH', `/v1/orders/${id}`, body, status, code, more)
  const address = { line1: 'x', city: 'x', country: 'GB' }
  return [
    update('nothing', {}),
    update('no version', { notes: 'x' }, 428, 'PRECONDITION_REQUIRED', {}),
    update('a stale version', { notes: 'x' }, 412, 'PRECONDITION_FAILED', stale),
    update('a version without quotes', { notes: 'x' }, 400, 'MALFORMED_REQUEST', { headers: { 'if-match': '1' } }),
    update('a cancelled order', { notes: 'x' }, 409, 'ORDER_NOT_CHANGEABLE', any, world.cancelledOrderId),
    update('an order that does not exist', { notes: 'x' }, 404, 'ORDER_NOT_FOUND', any, absent('ord')),
    update("another tenant's order", { notes: 'x' }, 404, 'ORDER_NOT_FOUND', any, world.otherOrderId),
    ...Object.entries({
      status: 'cancelled',
      paymentStatus: 'paid',
      lines: [],
      totals: {},
      source: 'shop',
      externalId: 'E-9',
      currency: 'EUR',
      locationId: world.otherLocationId,
      number: '20260115-AAAAAAAA',
      version: 1,
      placedAt: '2026-01-15T09:30:00.000Z',
      holds: [],
      discounts: [],
    }).map(([field, value]) => update(`the field ${field}`, { [field]: value })),
    update('a JSON patch', [{ op: 'replace', path: '/notes', value: 'x' }]),
    update('notes of 2,001 characters', { notes: 'x'.repeat(2_001) }),
    update('notes as a list', { notes: ['x'] }),
    update('metadata of null', { metadata: null }),
    update('metadata of 51 keys', { metadata: many(51) }),
    update('a metadata key of 65 characters', { metadata: { ['k'.repeat(65)]: 'v' } }),
    update('a metadata value that is no text', { metadata: { a: true } }),
    update('a customer without anything but an id', { customer: { id: absent('cus') } }),
    update('an email with a space', { customer: { email: 'a b@example.com' } }),
    update('an email of two', { customer: { email: 'a@example.com,b@example.com' } }),
    update('an address without a country', { shippingAddress: { line1: 'x', city: 'x' } }),
    update('a country of three letters', { shippingAddress: { ...address, country: 'GBR' } }),
    update('a country of digits', { billingAddress: { ...address, country: '44' } }),
    update('an address as one text', { billingAddress: '1 Main Street' }),
    update('coordinates in an address', { shippingAddress: { ...address, latitude: 1 } }),
  ]
}

/** Steps that the status of an order does not allow, or a hold, or a payment that is missing. */
function steps(world: World): readonly HandCase[] {
  const step = (
    action: string,
    name: string,
    id: string,
    status: number,
    code: string,
    more: More = {},
    body?: unknown,
  ) => refused(`orders.${action}: ${name}`, 'POST', `/v1/orders/${id}/${paths[action]}`, body, status, code, more)
  const paths: Readonly<Record<string, string>> = { placeDraft: 'place', confirm: 'confirm' }
  const [place, confirm] = ['placeDraft', 'confirm'] as const
  return [
    step(place, 'an order that was placed', world.orderId, 409, 'ORDER_NOT_DRAFT'),
    step(place, 'a pending order', world.pendingId, 409, 'ORDER_NOT_DRAFT'),
    step(place, 'a cancelled order', world.cancelledOrderId, 409, 'ORDER_NOT_DRAFT'),
    step(place, 'a stale version', world.draftId, 412, 'PRECONDITION_FAILED', stale),
    step(place, 'no key', world.draftId, 400, 'IDEMPOTENCY_KEY_REQUIRED', { headers: { 'idempotency-key': '' } }),
    step(place, 'other lines', world.draftId, 422, 'VALIDATION_FAILED', {}, { lines: [] }),
    step(place, 'other terms', world.draftId, 422, 'VALIDATION_FAILED', {}, { paymentTerms: 'onAccount' }),
    step(confirm, 'a draft', world.draftId, 409, 'ORDER_NOT_CONFIRMABLE'),
    step(confirm, 'an order that is confirmed', world.orderId, 409, 'ORDER_NOT_CONFIRMABLE'),
    step(confirm, 'a cancelled order', world.cancelledOrderId, 409, 'ORDER_NOT_CONFIRMABLE'),
    step(confirm, 'an order that is not paid', world.pendingId, 409, 'PAYMENT_MISSING'),
    step(confirm, 'a stale version', world.pendingId, 412, 'PRECONDITION_FAILED', stale),
    step(confirm, 'a payment of the client', world.pendingId, 422, 'VALIDATION_FAILED', {}, { paid: true }),
    ...[place, confirm].flatMap((action) => [
      step(action, 'an order that does not exist', absent('ord'), 404, 'ORDER_NOT_FOUND'),
      step(action, "another tenant's order", world.otherOrderId, 404, 'ORDER_NOT_FOUND'),
      step(action, 'an order by its number', '20260115-AAAAAAAA', 422, 'VALIDATION_FAILED'),
      step(action, 'a key of another request', world.draftId, 422, 'IDEMPOTENCY_KEY_REUSED', {
        headers: { 'idempotency-key': world.usedIdempotencyKey },
      }),
    ]),
  ]
}

function lineCancellations(world: World): readonly HandCase[] {
  const cancel = (
    name: string,
    body: unknown,
    status = 422,
    code = 'VALIDATION_FAILED',
    more: More = {},
    [orderId, lineId]: readonly [string, string] = [world.orderId, world.lineId],
  ) =>
    refused(
      `orders.cancelLine: ${name}`,
      'POST',
      `/v1/orders/${orderId}/lines/${lineId}/cancel`,
      body,
      status,
      code,
      more,
    )
  const gone: readonly (readonly [name: string, place: readonly [string, string], code: string])[] = [
    ['an order that does not exist', [absent('ord'), world.lineId], 'ORDER_NOT_FOUND'],
    ["another tenant's order", [world.otherOrderId, world.lineId], 'ORDER_NOT_FOUND'],
    ['a line that does not exist', [world.orderId, absent('lin')], 'LINE_NOT_FOUND'],
    ['a line of another order', [world.orderId, world.cancelledLineId], 'LINE_NOT_FOUND'],
  ]
  return [
    ...gone.map(([name, place, code]) => cancel(name, {}, 404, code, {}, place)),
    cancel('of a cancelled order', {}, 409, 'ORDER_NOT_CANCELLABLE', {}, [
      world.cancelledOrderId,
      world.cancelledLineId,
    ]),
    cancel('of a draft', {}, 409, 'ORDER_NOT_CANCELLABLE', {}, [world.draftId, world.lineId]),
    cancel('a line by its position', {}, 422, 'VALIDATION_FAILED', {}, [world.orderId, '0']),
    cancel('a line by its SKU', {}, 422, 'VALIDATION_FAILED', {}, [world.orderId, 'MUG']),
    cancel('more units than are left', { quantity: 2 }, 409, 'LINE_NOT_CANCELLABLE'),
    cancel('a million units', { quantity: 1_000_000 }, 409, 'LINE_NOT_CANCELLABLE'),
    cancel('no unit', { quantity: 0 }),
    cancel('less than no unit', { quantity: -1 }),
    cancel('half a unit', { quantity: 0.5 }),
    cancel('units as text', { quantity: '1' }),
    cancel('all units by word', { quantity: 'all' }),
    cancel('units of null', { quantity: null }),
    cancel('more than a million units', { quantity: 1_000_001 }),
    cancel('a negative discount', { quantity: 1, discount: priced(-1) }),
    cancel('a negative tax', { quantity: 1, tax: priced(-1) }),
    cancel('a tax as a bare number', { quantity: 1, tax: 5 }),
    cancel('a reason of 201 characters', { reason: 'x'.repeat(201) }),
    cancel('a reason that is empty', { reason: '' }),
    cancel('a refund along with it', { refund: true }),
    cancel('a restock along with it', { restock: false }),
    cancel('a stale version', {}, 412, 'PRECONDITION_FAILED', stale),
    cancel('no key', {}, 400, 'IDEMPOTENCY_KEY_REQUIRED', { headers: { 'idempotency-key': '' } }),
    cancel('the key of an order', {}, 422, 'IDEMPOTENCY_KEY_REUSED', {
      headers: { 'idempotency-key': world.usedIdempotencyKey },
    }),
  ]
}

function holds(world: World): readonly HandCase[] {
  const add = (
    name: string,
    body: unknown,
    status = 422,
    code = 'VALIDATION_FAILED',
    more: More = {},
    id = world.draftId,
  ) => refused(`orders.addHold: ${name}`, 'POST', `/v1/orders/${id}/holds`, body, status, code, more)
  const release = (
    name: string,
    id: string,
    holdId: string,
    status: number,
    code: string,
    more: More = {},
    body?: unknown,
  ) =>
    refused(`orders.releaseHold: ${name}`, 'POST', `/v1/orders/${id}/holds/${holdId}/release`, body, status, code, more)
  const held = { blocks: 'confirm' }
  return [
    add('nothing', {}),
    add('a step that cannot be held', { blocks: 'cancel' }),
    add('a step in other case', { blocks: 'Confirm' }),
    add('two steps at once', { blocks: ['confirm', 'fulfill'] }),
    add('every step', { blocks: '*' }),
    add('a kind of the service', { ...held, kind: 'fraudReview' }),
    add('an id', { ...held, id: absent('hld') }),
    add('a time of release', { ...held, releasedAt: '2030-01-01T00:00:00.000Z' }),
    add('a reason of 201 characters', { ...held, reason: 'x'.repeat(201) }),
    add('a reason of null', { ...held, reason: null }),
    add('a stale version', held, 412, 'PRECONDITION_FAILED', stale),
    add('a cancelled order', held, 409, 'ORDER_NOT_CHANGEABLE', {}, world.cancelledOrderId),
    add('an order that does not exist', held, 404, 'ORDER_NOT_FOUND', {}, absent('ord')),
    add("another tenant's order", held, 404, 'ORDER_NOT_FOUND', {}, world.otherOrderId),
    release('a hold that does not exist', world.draftId, absent('hld'), 404, 'HOLD_NOT_FOUND'),
    release('a hold of another order', world.orderId, world.holdId, 404, 'HOLD_NOT_FOUND'),
    release("another tenant's hold", world.draftId, world.otherHoldId, 404, 'HOLD_NOT_FOUND'),
    release('an order that does not exist', absent('ord'), world.holdId, 404, 'ORDER_NOT_FOUND'),
    release("another tenant's order", world.otherOrderId, world.otherHoldId, 404, 'ORDER_NOT_FOUND'),
    release('of a cancelled order', world.cancelledOrderId, world.holdId, 409, 'ORDER_NOT_CHANGEABLE'),
    release('a stale version', world.draftId, world.holdId, 412, 'PRECONDITION_FAILED', stale),
    release('a hold by its kind', world.draftId, 'manual', 422, 'VALIDATION_FAILED'),
    release('a reason nobody reads', world.draftId, world.holdId, 422, 'VALIDATION_FAILED', {}, { reason: 'x' }),
  ]
}
