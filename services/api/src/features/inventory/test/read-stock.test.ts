import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
const { locationId } = tenant
await tenant.stock(['b', 'A', 'a', 'C', 'B'].map((sku, index) => ({ sku, onHand: index + 1 })))
await stranger.stock([{ sku: 'THEIRS', onHand: 4 }])
const second = (await operator.post('/v1/locations', { name: 'Second' })).body.data.id
await operator.put(`/v1/stock/A/${second}`, { onHand: 20 })
for (const change of [1, 2, 3, 4]) await operator.post(`/v1/stock/A/${second}/adjust`, { change })

const keysOf = ({ body }: Answer): string[] =>
  body.data.map(({ sku, locationId: at }: { sku: string; locationId: string }) => (at === second ? `${sku}2` : sku))
const list = (query = '') => operator.get(`/v1/stock${query}`)

t.test('lists levels by SKU and location, in the order of their bytes', async (t) => {
  const { status, body } = await list()
  t.equal(status, 200)
  t.same(keysOf({ body } as Answer), ['A', 'A2', 'B', 'C', 'a', 'b'])
  t.match(body.data[0], { sku: 'A', locationId, onHand: 2, reserved: 0, available: 2, version: 1 })
})

t.test('filters by SKU and location', async (t) => {
  for (const [query, expected] of [
    ['?sku=A', ['A', 'A2']],
    ['?sku=A&sku=b', ['A', 'A2', 'b']],
    [`?sku=A&locationId=${second}`, ['A2']],
    [`?locationId=${second}`, ['A2']],
    ['?sku=Z', []],
  ] as const)
    t.same(keysOf(await list(query)), expected, query)
})

t.test('pages both ways, also between two locations of one SKU', async (t) => {
  const pages: string[][] = []
  let answer = await list('?limit=1')
  for (pages.push(keysOf(answer)); answer.body.meta.page.hasMore; pages.push(keysOf(answer)))
    answer = await list(`?limit=1&after=${answer.body.meta.page.nextCursor}`)
  t.same(pages.flat(), ['A', 'A2', 'B', 'C', 'a', 'b'])
  const back = await list(`?limit=4&before=${answer.body.meta.page.previousCursor}`)
  t.same(keysOf(back), ['A2', 'B', 'C', 'a'])
})

t.test('lists movements, newest first, page by page', async (t) => {
  const url = `/v1/stock/A/${second}/movements`
  const levels = ({ body }: Answer) => body.data.map(({ onHand }: { onHand: number }) => onHand)
  t.same(levels(await operator.get(url)), [30, 26, 23, 21, 20])
  const first = await operator.get(`${url}?limit=2`)
  const next = await operator.get(`${url}?limit=2&after=${first.body.meta.page.nextCursor}`)
  t.same([...levels(first), ...levels(next)], [30, 26, 23, 21])
  t.same(levels(await operator.get(`${url}?limit=2&before=${next.body.meta.page.previousCursor}`)), [30, 26])
})

t.test('reads one level, 304 while it is unchanged; a reservation changes the tag but not the version', async (t) => {
  const url = `/v1/stock/C/${locationId}`
  const { headers, body } = await operator.get(url)
  t.equal((await operator.get(url, { 'if-none-match': headers.etag ?? '' })).status, 304)
  await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'C', quantity: 1 }] })
  const after = await operator.get(url, { 'if-none-match': headers.etag ?? '' })
  t.equal(after.status, 200)
  t.strictSame(after.body.data, { ...body.data, reserved: 1, available: body.data.available - 1 })
})

t.test('answers 404 for a level that is not kept', async (t) => {
  for (const url of [`/v1/stock/Z/${locationId}`, `/v1/stock/B/${second}`, `/v1/stock/B/${second}/movements`])
    t.same(tally([await operator.get(url)]), { '404 STOCK_LEVEL_NOT_FOUND': 1 }, url)
})

t.test('is for holders of stock:read', async (t) => {
  const writer = as(await tenant.keyWith(['stock:write', 'products:read']))
  for (const url of ['/v1/stock', `/v1/stock/A/${locationId}`, `/v1/stock/A/${locationId}/movements`])
    t.same(tally([await writer.get(url)]), { '403 FORBIDDEN': 1 }, url)
})

t.test("answers for another tenant's level and cursor as for absent ones", async (t) => {
  const url = (sku: string, at: string) => `/v1/stock/${sku}/${at}`
  const absent = refusalOf(await operator.get(url('Z', newId('loc'))))
  t.same(refusalOf(await operator.get(url('THEIRS', stranger.locationId))), absent)
  t.same(refusalOf(await operator.get(`${url('THEIRS', stranger.locationId)}/movements`)), absent)
  t.same(keysOf(await list(`?locationId=${stranger.locationId}`)), [])
  t.same(keysOf(await list('?sku=THEIRS')), [])
  await stranger.stock([{ sku: 'THEIRS-2', onHand: 4 }])
  const { nextCursor } = (await as(stranger.key).get('/v1/stock?limit=1')).body.meta.page
  t.same(refusalOf(await list(`?after=${nextCursor}`)), refusalOf(await list('?after=bm9uc2Vuc2U')))
})
