import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t, { env: { RATE_LIMIT_FAILED_AUTHENTICATION: '2' } })
await h.tenant.stock([{ sku: 'MUG', onHand: 10 }])
const client = h.as(h.tenant.key)
const level = `/v1/stock/MUG/${h.tenant.locationId}`
const absent = `/v1/stock/NONE/${h.tenant.locationId}/adjust`
const json = { 'content-type': 'application/json' }

/** A request that is wrong in every respect but those that `right` mends. */
interface Right {
  readonly address?: string
  readonly key?: string
  readonly idempotencyKey?: string
  readonly body?: string
  readonly url?: string
  readonly ifMatch?: string
}

async function outcomeOf({ address = '10.0.0.1', key = 'sk_test_wrong', ...right }: Right): Promise<string> {
  const headers: Record<string, string> = {
    ...json,
    authorization: `Bearer ${key}`,
    'if-match': right.ifMatch ?? '"99"',
  }
  if (right.idempotencyKey !== undefined) headers['idempotency-key'] = right.idempotencyKey
  const request = { method: 'POST', url: right.url ?? absent, payload: right.body ?? '{"broken', headers } as const
  const { status, body } = await h.as().send({ ...request, remoteAddress: address })
  return body.success ? String(status) : `${status} ${body.error.code}`
}

t.test('an earlier check always wins over the later ones', async (t) => {
  const created = await client.post('/v1/api-keys', { name: 'slow', scopes: ['orders:read'], rateLimitPerMinute: 2 })
  const slow = created.body.data.secret
  const reader = await h.tenant.keyWith(['stock:read'])
  t.equal(await outcomeOf({}), '401 UNAUTHORIZED', 'authentication')
  t.equal(await outcomeOf({}), '401 UNAUTHORIZED')
  t.equal(await outcomeOf({}), '429 RATE_LIMITED', 'rate limit by address, before authentication')
  t.equal(await outcomeOf({ key: h.tenant.key }), '429 RATE_LIMITED', 'even with a valid key')

  let right: Right = { address: '10.0.0.2' }
  t.equal(await outcomeOf({ ...right, key: slow }), '403 FORBIDDEN', 'permission')
  t.equal(await outcomeOf({ ...right, key: slow }), '403 FORBIDDEN')
  t.equal(await outcomeOf({ ...right, key: slow }), '429 RATE_LIMITED', 'rate limit by key, before permission')
  t.equal(await outcomeOf({ ...right, key: reader }), '403 FORBIDDEN', 'permission, before the Idempotency-Key')
  right = { ...right, key: h.tenant.key }
  t.equal(await outcomeOf(right), '400 IDEMPOTENCY_KEY_REQUIRED', 'presence of the key, before the body is read')
  right = { ...right, idempotencyKey: 'order-of-checks' }
  t.equal(await outcomeOf(right), '400 MALFORMED_REQUEST', 'strict parse')
  right = { ...right, body: '{"change":"many"}' }
  t.equal(await outcomeOf(right), '422 VALIDATION_FAILED', 'schema, before the object is looked up')
  right = { ...right, body: '{"change":-99}' }
  t.equal(await outcomeOf(right), '404 STOCK_LEVEL_NOT_FOUND', 'look-up, before If-Match')
  right = { ...right, url: `${level}/adjust` }
  t.equal(await outcomeOf(right), '412 PRECONDITION_FAILED', 'If-Match, before the rules')
  right = { ...right, ifMatch: '"1"' }
  t.equal(await outcomeOf(right), '409 INSUFFICIENT_ON_HAND', 'rules')
  right = { ...right, body: '{"change":-1}' }
  t.equal(await outcomeOf(right), '200', 'nothing of all that was stored under the key')
  t.equal(await outcomeOf({ ...right, body: '{"change":-2}' }), '422 IDEMPOTENCY_KEY_REUSED')
  t.equal(await outcomeOf({ ...right, url: absent }), '422 IDEMPOTENCY_KEY_REUSED', 'the claim, before the look-up')
  t.equal(await outcomeOf({ ...right, ifMatch: '"99"' }), '200', 'a replay, before If-Match')
})

t.test('a missing If-Match comes after the schema and the look-up', async (t) => {
  const put = (url: string, body: unknown) => client.put(url, body)
  t.equal((await put(level, { onHand: 'x' })).status, 422)
  t.equal((await put(level, { onHand: 3 })).status, 428)
  const missing = `/v1/stock/NONE/${h.tenant.locationId}`
  t.match(await put(missing, { onHand: 3 }), { status: 422, body: { error: { code: 'UNKNOWN_STOCK_ITEM' } } })
})

t.test('a finished order answers a stale If-Match with 412, a current one with 409', async (t) => {
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
  const { id } = (await client.post('/v1/orders', order)).body.data
  const cancelled = await client.post(`/v1/orders/${id}/cancel`, {})
  const again = (ifMatch: string) => client.post(`/v1/orders/${id}/cancel`, {}, { 'if-match': ifMatch })
  t.equal((await again('"1"')).status, 412)
  t.equal((await again(`"${cancelled.body.data.version}"`)).status, 409)
})
