import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { expireOrderJob } from '#features/order-changes/jobs.ts'
import { expireReservationJob } from '#features/reservations/jobs.ts'
import { verifyStock } from '#features/stock-audit/jobs.ts'
import { markStock } from '#features/stock-marks/jobs.ts'
import { eventTypes } from '#platform/ledger.ts'
import { document } from '#test/contract-check.ts'
import { harness } from '#test/harness.ts'
import { jobContext } from '#test/job-context.ts'
import { recordedEvents } from '#test/recorded-events.ts'
import { relay } from '#test/relayed.ts'

let skew = 0
const h = await harness(t, { clock: { now: () => new Date(Date.now() + skew) } })
const { as, tenant, db, runtime } = h
const { organizationId, locationId } = tenant
const operator = as(tenant.key)
interface Described {
  readonly type: string
  readonly schema: object
  readonly sample: { readonly type: string }
}
const described: readonly Described[] = (await operator.get('/v1/event-types')).body.data
const ajv = new Ajv2020({ strict: false })
addFormats.default(ajv)

t.test('every type has a description, a schema that stands alone, and a sample that is valid', async (t) => {
  t.same(
    described.map(({ type }) => type),
    eventTypes,
  )
  for (const { type, schema, sample } of described) {
    const validate = ajv.compile(schema)
    t.ok(validate(sample), `${type}: ${ajv.errorsText(validate.errors)}`)
    t.equal(sample.type, type)
    t.notOk(validate({ ...sample, data: {} }), `${type}: not just anything`)
  }
})

t.test('the answer is the same each time, and need not be read twice', async (t) => {
  const { headers, data } = await operator.get('/v1/event-types')
  t.equal((await operator.get('/v1/event-types')).data, data)
  t.equal((await operator.get('/v1/event-types', { 'if-none-match': headers.etag ?? '' })).status, 304)
})

t.test('the document says what each webhook sends, with the same sample', async (t) => {
  const { webhooks } = document as unknown as { webhooks: Record<string, { post: Record<string, unknown> }> }
  t.same(Object.keys(webhooks), eventTypes)
  for (const { type, sample } of described) t.ok(JSON.stringify(webhooks[type]).includes(JSON.stringify(sample)), type)
})

const post = async (url: string, body: object = {}) => {
  const answer = await operator.post(url, body)
  if (answer.status >= 300) throw new Error(`${url}: ${answer.text}`)
  return answer.body.data
}
const place = (more: object = {}) =>
  post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 2 }], ...more })

async function makeAccountEvents(): Promise<void> {
  const { id } = await post('/v1/api-keys', { name: 'one', scopes: ['orders:read'], allowedCidrs: ['10.0.0.0/8'] })
  await post(`/v1/api-keys/${id}/rotate`)
  await post(`/v1/api-keys/${id}/revoke`)
  await operator.patch('/v1/organization', { name: 'Other', metadata: { a: 'b' } }, { 'if-match': '*' })
  await post('/v1/locations', { name: 'South', isDefault: true })
  await post('/v1/locations', { name: 'North', isDefault: true })
}

async function makeProductEvents(): Promise<void> {
  const { id } = await post('/v1/products', { sku: 'X', title: 'X', prices: [{ amount: 0, currency: 'GBP' }] })
  await operator.patch(`/v1/products/${id}`, { description: 'long', attributes: { a: 'b' } }, { 'if-match': '*' })
  await post(`/v1/products/${id}/archive`)
  const held = await post('/v1/reservations', { sku: 'MUG', quantity: 1 })
  await post(`/v1/reservations/${held.id}/release`)
  const forgotten = await post('/v1/reservations', { sku: 'MUG', quantity: 1, expiresInMinutes: 1 })
  skew += 120_000
  const payload = { organizationId, reservationId: forgotten.id }
  await expireReservationJob.run(jobContext(runtime, 'test'), payload)
}

async function makeStockEvents(): Promise<void> {
  const set = (body: object) => operator.put(`/v1/stock/LOW/${locationId}`, body, { 'if-match': '*' })
  const mark = () => markStock.run(jobContext(runtime, 'stock.mark'), {})
  await tenant.stock([{ sku: 'LOW', onHand: 10 }])
  await place({ lines: [{ sku: 'LOW', quantity: 6 }] })
  for (const onHand of [8, 6, 4, 100]) {
    await set({ onHand, lowStockThreshold: 3 })
    await mark()
  }
  await db.query(`update stock_levels set on_hand = on_hand - 1 where sku = 'LOW'`)
  await verifyStock.run(jobContext(runtime, 'stock.verify'), {})
}

async function makeOrderEvents(): Promise<void> {
  const amount = { amount: 495, currency: 'GBP' }
  const amounts = { shipping: [{ description: 'Parcel', amount }], taxes: [{ description: 'VAT', amount }] }
  const customer = { name: 'A', email: 'a@example.com' }
  const draft = await place({ ...amounts, customer, draft: true, source: 'shop', externalId: '1' })
  const { holds } = await post(`/v1/orders/${draft.id}/holds`, { blocks: 'fulfill', reason: 'why' })
  await post(`/v1/orders/${draft.id}/place`)
  await post(`/v1/orders/${draft.id}/holds/${holds[0].id}/release`)
  await operator.patch(`/v1/orders/${draft.id}`, { metadata: { a: 'b' } }, { 'if-match': '*' })
  await post(`/v1/orders/${draft.id}/lines/${draft.lines[0].id}/cancel`, { quantity: 1 })
  await post(`/v1/orders/${draft.id}/cancel`, { reason: 'customer' })
  const unpaid = await place({ paymentTerms: 'prepaid' })
  skew += 3_600_000
  await expireOrderJob.run(jobContext(runtime, 'test'), { organizationId, orderId: unpaid.id })
}

t.test('what really happens is what the schema of its type says', async (t) => {
  await tenant.stock([{ sku: 'MUG', onHand: 100 }])
  await makeProductEvents()
  await makeStockEvents()
  await makeOrderEvents()
  await makeAccountEvents()
  await relay(h)
  await post('/v1/audit/checkpoints')
  const events = await recordedEvents(h)
  const validators = new Map(described.map(({ type, schema }) => [type, ajv.compile(schema)]))
  for (const event of events) {
    const validate = validators.get(event.type)
    t.ok(validate?.(event), `${event.type}: ${ajv.errorsText(validate?.errors)}`)
  }
  const seen = new Set(events.map(({ type }) => type))
  // Those of the workers are held against their schemas where they are made.
  const expected = eventTypes.filter((type) => !/^(webhook|job|export)\./.test(type))
  t.same([...seen].sort(), [...expected].sort(), 'every type was seen')
})

t.test('needs the scope', async (t) => {
  const answer = await as(await tenant.keyWith(['orders:read'])).get('/v1/event-types')
  t.match({ status: answer.status, code: answer.body.error.code }, { status: 403, code: 'FORBIDDEN' })
})
