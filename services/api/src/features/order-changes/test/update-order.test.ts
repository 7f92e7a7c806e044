import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
await tenant.stock([{ sku: 'MUG', onHand: 1_000 }])

const ada = { name: 'Ada Canary', email: 'ada@canary.example' }
const london = { line1: '1 Canary Wharf', city: 'London', country: 'GB' }
const paris = { line1: '2 Rue des Canaris', city: 'Paris', country: 'FR' }
const place = async (more: object = {}) => {
  const lines = [{ sku: 'MUG', quantity: 1 }]
  const { body } = await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines, customer: ada, ...more })
  return body.data
}
const update = (id: string, body: object, headers: Record<string, string> = { 'if-match': '*' }) =>
  operator.patch(`/v1/orders/${id}`, body, headers)
const entryOf = async (id: string, version: number) => {
  const { rows } = await db.query('select * from ledger where resource_id = $1 and resource_version = $2', [
    id,
    version,
  ])
  return rows[0]
}

t.test('replaces what is given, keeps the rest, and counts one version', async (t) => {
  const order = await place({ notes: 'old', metadata: { a: '1' } })
  const change = { customer: { name: 'Grace' }, shippingAddress: paris, billingAddress: london, metadata: { b: '2' } }
  const { status, body, headers } = await update(order.id, change, { 'if-match': '"2"' })
  t.equal(status, 200)
  t.match(headers.etag, /^"3\./)
  t.strictSame(body.data, { ...order, ...change, version: 3, updatedAt: body.data.updatedAt })
  t.strictSame((await operator.get(`/v1/orders/${order.id}`)).body.data, body.data)
})

t.test('null takes a field away', async (t) => {
  const order = await place({ notes: 'old', shippingAddress: london })
  const { body } = await update(order.id, { notes: null, customer: null, shippingAddress: null })
  t.match(body.data, { notes: null, customer: null, shippingAddress: null, version: 3 })
})

t.test('keeps personal fields beside the entry of the ledger, and names what changed', async (t) => {
  const order = await place({ shippingAddress: london })
  await update(order.id, { shippingAddress: paris, customer: ada, notes: 'Ring twice' })
  const entry = await entryOf(order.id, 3)
  t.match(entry, { type: 'order.updated', changed: ['shippingAddress', 'notes'] })
  t.strictSame(entry.personal, { customer: ada, shippingAddress: paris, billingAddress: null, notes: 'Ring twice' })
  t.ok(entry.personal_salt)
  t.notMatch(JSON.stringify(entry.data), /Canar|Ring/)
  await update(order.id, { metadata: { b: '2' } })
  const second = await entryOf(order.id, 4)
  t.match(second, { type: 'order.updated', changed: ['metadata'], personal: null })
  t.same(second.data.metadata, { b: '2' })
})

t.test('what stays the same makes no new version', async (t) => {
  const order = await place({ notes: 'same', metadata: { a: '1', b: '2' } })
  const { status, body } = await update(order.id, { notes: 'same', metadata: { b: '2', a: '1' }, customer: ada })
  t.equal(status, 200)
  t.strictSame(body.data, order)
  t.equal(await entryOf(order.id, 3), undefined)
})

t.test('a draft can be changed as well', async (t) => {
  const draft = await place({ draft: true })
  t.match((await update(draft.id, { notes: 'x' })).body.data, { status: 'draft', notes: 'x', version: 2 })
})

t.test('needs If-Match, and refuses a stale one', async (t) => {
  const order = await place()
  t.same(tally([await update(order.id, { notes: 'x' }, {})]), { '428 PRECONDITION_REQUIRED': 1 })
  t.same(tally([await update(order.id, { notes: 'x' }, { 'if-match': '"1"' })]), { '412 PRECONDITION_FAILED': 1 })
  t.equal((await operator.get(`/v1/orders/${order.id}`)).body.data.notes, null)
})

t.test('refuses orders that are over', async (t) => {
  const order = await place()
  await operator.post(`/v1/orders/${order.id}/cancel`, {})
  const answer = await update(order.id, { notes: 'x' })
  t.same(tally([answer]), { '409 ORDER_NOT_CHANGEABLE': 1 })
  t.equal(answer.body.detail, 'The order is cancelled')
})

t.test('refuses what does not match the schema', async (t) => {
  const order = await place()
  for (const body of [
    {},
    { status: 'completed' },
    { metadata: null },
    { lines: [] },
    { notes: 'x'.repeat(2_001) },
    { shippingAddress: { city: 'Paris' } },
    { customer: { email: 'nobody' } },
  ])
    t.same(tally([await update(order.id, body)]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(body).slice(0, 40))
})

t.test('is for holders of orders:write', async (t) => {
  const order = await place()
  const reader = as(await tenant.keyWith(['orders:read', 'orders:price']))
  const answer = await reader.patch(`/v1/orders/${order.id}`, { notes: 'x' }, { 'if-match': '*' })
  t.same(tally([answer]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's order as for an absent one, and leaves it", async (t) => {
  const order = await place()
  const theirs = as(stranger.key)
  const at = async (id: string) =>
    refusalOf(await theirs.patch(`/v1/orders/${id}`, { notes: 'x' }, { 'if-match': '"9"' }))
  t.same(await at(order.id), await at(newId('ord')))
  t.equal((await operator.get(`/v1/orders/${order.id}`)).body.data.version, 2)
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const order = await place()
  const headers = { 'if-match': '"2"', 'idempotency-key': randomUUID() }
  const first = await update(order.id, { notes: 'x' }, headers)
  const retry = await update(order.id, { notes: 'x' }, headers)
  t.equal(first.status, 200)
  t.equal(retry.data, first.data)
  t.equal(retry.headers['idempotency-replayed'], 'true')
})

t.test('of twenty who change the same version at once one does', async (t) => {
  const order = await place()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      persist(() => update(order.id, { notes: `note ${index}` }, { 'if-match': '"2"' })),
    ),
  )
  t.same(tally(answers), { 200: 1, '412 PRECONDITION_FAILED': 19 })
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
