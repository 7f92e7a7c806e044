import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { jobContext } from '#test/job-context.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'
import { expireDueReservations, expireReservationJob } from '../jobs.ts'

let skew = 0
const minute = 60_000
const clock = { now: () => new Date(Date.now() + skew) }
const { as, tenant, otherTenant, db, runtime } = await harness(t, { clock })
const operator = as(tenant.key)
const stranger = await otherTenant()

let made = 0
const stocked = async (onHand: number): Promise<string> => {
  const sku = `SKU-${made++}`
  await tenant.stock([{ sku, onHand }])
  return sku
}
const create = (body: object, headers = {}) => operator.post('/v1/reservations', body, headers)
const release = (id: string, headers = {}) => operator.post(`/v1/reservations/${id}/release`, undefined, headers)
const levelOf = async (sku: string) => (await operator.get(`/v1/stock/${sku}/${tenant.locationId}`)).body.data
const idsOf = ({ body }: Answer): string[] => body.data.map(({ id }: { id: string }) => id)

t.test('holds stock for half an hour, with a movement and an entry', async (t) => {
  const sku = await stocked(5)
  const { status, body, headers } = await create({ sku, quantity: 3 })
  const { data } = body
  t.equal(status, 201)
  t.match(headers.location, new RegExp(`/v1/reservations/${data.id}$`))
  t.strictSame(data, {
    id: data.id,
    orderId: null,
    sku,
    locationId: tenant.locationId,
    quantity: 3,
    state: 'held',
    expiresAt: new Date(Date.parse(data.createdAt) + 30 * minute).toISOString(),
    metadata: {},
    version: 1,
    createdAt: data.createdAt,
    updatedAt: data.createdAt,
  })
  t.strictSame((await operator.get(`/v1/reservations/${data.id}`)).body.data, data)
  t.match(await levelOf(sku), { onHand: 5, reserved: 3, available: 2, version: 1 })
  const [movement] = (await operator.get(`/v1/stock/${sku}/${tenant.locationId}/movements`)).body.data
  t.match(movement, { type: 'reserve', reservedChange: 3, reserved: 3, orderId: null, reservationId: data.id })
  const order = { paymentTerms: 'onAccount', lines: [{ sku, quantity: 3 }] }
  t.same(tally([await operator.post('/v1/orders', order)]), { '409 OUT_OF_STOCK': 1 })
})

t.test('takes location, time and metadata', async (t) => {
  const sku = await stocked(5)
  const given = { sku, quantity: 5, locationId: tenant.locationId, metadata: { cart: '7' } }
  const { data } = (await create({ ...given, expiresInMinutes: 1 })).body
  t.match(data, given)
  t.equal(Date.parse(data.expiresAt) - Date.parse(data.createdAt), minute)
})

t.test('releases what it held, once', async (t) => {
  const sku = await stocked(5)
  const { id } = (await create({ sku, quantity: 3 })).body.data
  const { status, body, headers } = await release(id, { 'if-match': '"1"' })
  t.equal(status, 200)
  t.match(body.data, { state: 'released', version: 2 })
  t.match(headers.etag, /^"2\./)
  t.match(await levelOf(sku), { reserved: 0, available: 5 })
  const [movement] = (await operator.get(`/v1/stock/${sku}/${tenant.locationId}/movements`)).body.data
  t.match(movement, { type: 'release', reservedChange: -3, reservationId: id })
  t.same(tally([await release(id)]), { '409 RESERVATION_NOT_HELD': 1 })
  t.same(tally([await release(id, { 'if-match': '"1"' })]), { '412 PRECONDITION_FAILED': 1 })
})

t.test('refuses more than is available, and what is not stocked', async (t) => {
  const sku = await stocked(5)
  await operator.put(`/v1/stock/${sku}/${tenant.locationId}`, { onHand: 5, safetyStock: 1 }, { 'if-match': '*' })
  const answer = await create({ sku, quantity: 5 })
  t.same(tally([answer]), { '409 OUT_OF_STOCK': 1 })
  t.match(answer.body, { detail: `SKU ${sku}: 5 requested, 4 available`, errors: [{ pointer: '/quantity' }] })
  await tenant.stock([{ sku: 'NEVER' }])
  t.same(tally([await create({ sku: 'NEVER', quantity: 1 })]), { '409 OUT_OF_STOCK': 1 })
  const unknown = [
    await create({ sku: 'ABSENT', quantity: 1 }),
    await create({ sku, quantity: 1, locationId: newId('loc') }),
    await create({ sku, quantity: 1, locationId: stranger.locationId }),
  ]
  t.same(tally(unknown), { '422 UNKNOWN_STOCK_ITEM': 3 })
  t.same(
    unknown.map(({ body }) => body.errors[0].field),
    ['sku', 'locationId', 'locationId'],
  )
})

t.test('refuses what does not match the schema, and needs a key', async (t) => {
  const sku = await stocked(5)
  const good = { sku, quantity: 1 }
  for (const fault of [
    { quantity: 0 },
    { quantity: 1.5 },
    { expiresInMinutes: 0 },
    { expiresInMinutes: 43_201 },
    { orderId: newId('ord') },
  ])
    t.same(tally([await create({ ...good, ...fault })]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(fault))
  t.same(tally([await create(good, { 'idempotency-key': '' })]), { '400 IDEMPOTENCY_KEY_REQUIRED': 1 })
})

t.test("shows an order's reservations, and leaves them to the order", async (t) => {
  const sku = await stocked(5)
  const order = { paymentTerms: 'prepaid', lines: [{ sku, quantity: 2 }] }
  const placed = (await operator.post('/v1/orders', order)).body.data
  const [reservation] = (await operator.get(`/v1/reservations?orderId=${placed.id}`)).body.data
  t.match(reservation, { orderId: placed.id, sku, quantity: 2, state: 'held', expiresAt: placed.expiresAt })
  const answer = await release(reservation.id)
  t.same(tally([answer]), { '409 RESERVATION_OF_ORDER': 1 })
  t.match(answer.body.detail, placed.id)
})

t.test('lists by SKU and state, newest first, page by page', async (t) => {
  const sku = await stocked(50)
  const ids: string[] = []
  for (let index = 0; index < 5; index++) ids.unshift((await create({ sku, quantity: 1 })).body.data.id)
  await release(ids[2] ?? '')
  const list = (query: string) => operator.get(`/v1/reservations?sku=${sku}${query}`)
  t.same(idsOf(await list('')), ids)
  t.same(idsOf(await list('&state=released&state=expired')), [ids[2]])
  const first = await list('&limit=2')
  const next = await list(`&limit=2&after=${first.body.meta.page.nextCursor}`)
  t.same([...idsOf(first), ...idsOf(next)], ids.slice(0, 4))
  t.same(idsOf(await list(`&limit=2&before=${next.body.meta.page.previousCursor}`)), ids.slice(0, 2))
  t.same(tally([await list('&state=lost')]), { '422 VALIDATION_FAILED': 1 })
})

t.test('ends when its time is up', async (t) => {
  const sku = await stocked(5)
  const short = (await create({ sku, quantity: 1, expiresInMinutes: 5 })).body.data
  const long = (await create({ sku, quantity: 2, expiresInMinutes: 600 })).body.data
  skew += 6 * minute
  const context = () => jobContext(runtime, 'reservations.expire')
  await expireDueReservations.run(context(), {})
  await expireDueReservations.run(context(), {})
  const { rows } = await db.query('select data from pgboss.job where name = $1', [expireReservationJob.name])
  const payloads = rows.map(({ data }) => data.payload).filter((p) => [short.id, long.id].includes(p.reservationId))
  t.same(payloads, [{ organizationId: tenant.organizationId, reservationId: short.id }])
  await Promise.all([1, 2, 3].map(() => expireReservationJob.run(context(), payloads[0])))
  await expireReservationJob.run(context(), { ...payloads[0], reservationId: long.id })
  await expireReservationJob.run(context(), { organizationId: stranger.organizationId, reservationId: long.id })
  t.match((await operator.get(`/v1/reservations/${short.id}`)).body.data, { state: 'expired', version: 2 })
  t.match((await operator.get(`/v1/reservations/${long.id}`)).body.data, { state: 'held', version: 1 })
  t.match(await levelOf(sku), { reserved: 2 })
  t.same(tally([await release(short.id)]), { '409 RESERVATION_NOT_HELD': 1 })
})

t.test('is for holders of stock:write and stock:read', async (t) => {
  const sku = await stocked(5)
  const { id } = (await create({ sku, quantity: 1 })).body.data
  const reader = as(await tenant.keyWith(['stock:read']))
  const writer = as(await tenant.keyWith(['stock:write']))
  const answers = [
    await reader.post('/v1/reservations', { sku, quantity: 1 }),
    await reader.post(`/v1/reservations/${id}/release`),
    await writer.get('/v1/reservations'),
    await writer.get(`/v1/reservations/${id}`),
  ]
  t.same(tally(answers), { '403 FORBIDDEN': 4 })
})

t.test("answers for another tenant's reservation as for an absent one", async (t) => {
  const { id } = (await create({ sku: await stocked(5), quantity: 1 })).body.data
  const foreign = as(stranger.key)
  const absent = newId('rsv')
  const reading = async (which: string) => refusalOf(await foreign.get(`/v1/reservations/${which}`))
  const releasing = async (which: string) => refusalOf(await foreign.post(`/v1/reservations/${which}/release`))
  t.match(await reading(id), { status: 404, error: { code: 'RESERVATION_NOT_FOUND' } })
  t.same(await reading(id), await reading(absent))
  t.same(await releasing(id), await releasing(absent))
  t.same(idsOf(await foreign.get('/v1/reservations')), [])
})

t.test('answers retries with the same key as it answered the first', async (t) => {
  const sku = await stocked(5)
  const key = { 'idempotency-key': randomUUID() }
  const first = await create({ sku, quantity: 2 }, key)
  for (const retry of await Promise.all([1, 2, 3].map(() => persist(() => create({ sku, quantity: 2 }, key)))))
    t.equal(retry.data, first.data)
  const ending = { 'idempotency-key': randomUUID() }
  const released = await release(first.body.data.id, ending)
  t.equal((await release(first.body.data.id, ending)).data, released.data)
  t.match(await levelOf(sku), { reserved: 0 })
})

t.test('of many who want the last units as many get them as there are', async (t) => {
  const sku = await stocked(7)
  const key = () => ({ 'idempotency-key': randomUUID() })
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => {
      const own = key()
      return persist(() => create({ sku, quantity: 1 }, own))
    }),
  )
  t.same(tally(answers), { 201: 7, '409 OUT_OF_STOCK': 23 })
  const { id } = answers.find(({ status }) => status === 201)?.body.data ?? {}
  const ends = await Promise.all(
    Array.from({ length: 10 }, () => {
      const own = key()
      return persist(() => release(id, own))
    }),
  )
  t.same(tally(ends), { 200: 1, '409 RESERVATION_NOT_HELD': 9 })
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
