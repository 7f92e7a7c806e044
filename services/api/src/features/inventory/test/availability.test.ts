import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { tally } from '#test/persistence.ts'

const { as, tenant, otherTenant } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
const { locationId } = tenant
await tenant.stock([
  { sku: 'MUG', onHand: 10 },
  { sku: 'LATER', onHand: 1, stockPolicy: 'backorder' },
  { sku: 'POST', stockPolicy: 'untracked' },
  { sku: 'NEVER' },
])
await stranger.stock([{ sku: 'MUG', onHand: 99 }])
const second = (await operator.post('/v1/locations', { name: 'Second' })).body.data.id
await operator.put(`/v1/stock/MUG/${second}`, { onHand: 5, safetyStock: 2 })
const lines = [
  { sku: 'MUG', quantity: 4 },
  { sku: 'LATER', quantity: 3 },
]
const placed = (await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines })).body.data
const check = (body: object) => operator.post('/v1/stock/availability', body)

t.test('tells of many SKUs what is available, location by location', async (t) => {
  const { status, body } = await check({ skus: ['NEVER', 'MUG', 'LATER', 'POST', 'ABSENT', 'MUG'] })
  t.equal(status, 200)
  const none = { backorderable: false, available: 0, locations: [] }
  const main = { locationId, onHand: 10, reserved: 4, backordered: 0, safetyStock: 0, available: 6 }
  t.strictSame(body.data.items, [
    { ...none, sku: 'NEVER', stockPolicy: 'deny' },
    {
      sku: 'MUG',
      stockPolicy: 'deny',
      backorderable: false,
      available: 9,
      locations: [main, { locationId: second, onHand: 5, reserved: 0, backordered: 0, safetyStock: 2, available: 3 }],
    },
    {
      sku: 'LATER',
      stockPolicy: 'backorder',
      backorderable: true,
      available: 0,
      locations: [{ locationId, onHand: 1, reserved: 1, backordered: 2, safetyStock: 0, available: 0 }],
    },
    { ...none, sku: 'POST', stockPolicy: 'untracked' },
    { ...none, sku: 'ABSENT', stockPolicy: null },
  ])
})

t.test('tells of one location; a shortfall takes nothing from another', async (t) => {
  const at = async (where: object) => (await check({ skus: ['MUG'], ...where })).body.data.items[0]
  t.match(await at({ locationId: second }), { available: 3, locations: [{ locationId: second }] })
  t.match(await at({ locationId: newId('loc') }), { available: 0, locations: [] })
  t.match(await at({ locationId: stranger.locationId }), { available: 0, locations: [] })
  await operator.put(`/v1/stock/MUG/${second}`, { onHand: 1 }, { 'if-match': '*' })
  t.match(await at({}), { available: 6 })
})

const movements = (query = '') => operator.get(`/v1/stock/movements${query}`)
const briefs = ({ body }: Answer): string[] =>
  body.data.map(({ sku, type }: { sku: string; type: string }) => `${sku} ${type}`)

t.test('lists movements of every level, newest first', async (t) => {
  const answer = await movements()
  t.equal(answer.status, 200)
  t.equal(briefs(answer)[0], 'MUG adjustment')
  t.equal(answer.body.data.length, 6)
  const ids = answer.body.data.map(({ id }: { id: string }) => id)
  t.same(ids, ids.toSorted().reverse())
  t.same(answer.body.data[1].orderId, placed.id)
})

t.test('filters movements by SKU, location, type and time, page by page', async (t) => {
  t.same(briefs(await movements('?sku=LATER')), ['LATER reserve', 'LATER adjustment'])
  t.same(briefs(await movements(`?locationId=${second}`)), ['MUG adjustment', 'MUG adjustment'])
  t.same(briefs(await movements('?type=reserve&sku=MUG')), ['MUG reserve'])
  t.same(briefs(await movements('?type=receipt&type=consume')), [])
  const all = (await movements()).body.data
  const { occurredAt } = all[3]
  const since = (await movements(`?from=${occurredAt}`)).body.data
  const until = (await movements(`?to=${occurredAt}`)).body.data
  t.same([...since, ...until], all)
  const first = await movements('?limit=4')
  const next = await movements(`?limit=4&after=${first.body.meta.page.nextCursor}`)
  t.same([...first.body.data, ...next.body.data], all)
})

t.test('refuses what does not match the schema', async (t) => {
  const answers = [
    await check({ skus: [] }),
    await check({}),
    await check({ skus: Array.from({ length: 501 }, (_, index) => `S${index}`) }),
    await movements('?type=lost'),
    await movements('?from=yesterday'),
  ]
  t.same(tally(answers), { '422 VALIDATION_FAILED': 5 })
})

t.test('is for holders of stock:read, and shows nothing of another tenant', async (t) => {
  const writer = as(await tenant.keyWith(['stock:write', 'products:read']))
  const answers = [
    await writer.get('/v1/stock/movements'),
    await writer.post('/v1/stock/availability', { skus: ['A'] }),
  ]
  t.same(tally(answers), { '403 FORBIDDEN': 2 })
  t.equal((await as(stranger.key).get('/v1/stock/movements')).body.data.length, 1)
})
