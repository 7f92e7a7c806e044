import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()
await stranger.stock([{ sku: 'MUG-1' }, { sku: 'MUG-2' }])

const shelf: readonly [string, string, string][] = [
  ['MUG-1', 'Blue mug', 'active'],
  ['MUG-2', 'Red MUG, 100% cotton', 'active'],
  ['mug-3', 'Kleine Tasse', 'draft'],
  ['CUP_1', 'Cup for a mug', 'active'],
  ['CUPX1', 'Back\\slash', 'archived'],
  ['%', 'Percent', 'active'],
]
for (const [sku, title, status] of shelf) await operator.post('/v1/products', { sku, title, status, prices: [] })

const skusOf = ({ body }: Answer): string[] => body.data.map(({ sku }: { sku: string }) => sku)
const list = (query = '') => operator.get(`/v1/products${query}`)

t.test('lists products in full, newest first', async (t) => {
  const answer = await list()
  t.equal(answer.status, 200)
  t.same(skusOf(answer), shelf.map(([sku]) => sku).toReversed())
  const [newest] = answer.body.data
  t.strictSame((await operator.get(`/v1/products/${newest.id}`)).body.data, newest)
})

t.test('finds by the start of the SKU or a part of the title, taken as they are written', async (t) => {
  for (const [q, expected] of [
    ['MUG', ['CUP_1', 'MUG-2', 'MUG-1']],
    ['mug-', ['mug-3']],
    ['TASSE', ['mug-3']],
    ['CUP_', ['CUP_1']],
    ['%', ['%', 'MUG-2']],
    ['100%', ['MUG-2']],
    ['\\', ['CUPX1']],
    ["'; drop table products; --", []],
    ['UG-1', []],
  ] as const)
    t.same(skusOf(await list(`?q=${encodeURIComponent(q)}`)), expected, q)
})

t.test('filters by SKU and status', async (t) => {
  for (const [query, expected] of [
    ['?sku=MUG-1', ['MUG-1']],
    ['?sku=mug-1', []],
    ['?status=draft', ['mug-3']],
    ['?status=draft&status=archived', ['CUPX1', 'mug-3']],
    ['?q=mug&status=active', ['CUP_1', 'MUG-2', 'MUG-1']],
  ] as const)
    t.same(skusOf(await list(query)), expected, query)
})

t.test('pages forward and backward under a filter', async (t) => {
  const pages: string[][] = []
  let answer = await list('?status=active&limit=2')
  for (pages.push(skusOf(answer)); answer.body.meta.page.hasMore; pages.push(skusOf(answer)))
    answer = await list(`?status=active&limit=2&after=${answer.body.meta.page.nextCursor}`)
  t.same(pages, [
    ['%', 'CUP_1'],
    ['MUG-2', 'MUG-1'],
  ])
  const back = await list(`?status=active&limit=2&before=${answer.body.meta.page.previousCursor}`)
  t.same(skusOf(back), ['%', 'CUP_1'])
  t.equal(back.body.meta.page.previousCursor, null)
})

t.test('answers 304 while a product is unchanged', async (t) => {
  const { body } = await list('?sku=MUG-1')
  const url = `/v1/products/${body.data[0].id}`
  const { headers } = await operator.get(url)
  const tag = headers.etag ?? ''
  t.equal((await operator.get(url, { 'if-none-match': tag })).status, 304)
  const products = [{ sku: 'MUG-1', title: 'Blue mug', prices: [{ amount: 5, currency: 'GBP' }] }]
  await operator.post('/v1/products/batch', { products })
  t.equal((await operator.get(url, { 'if-none-match': tag })).status, 200)
})

t.test('refuses ids and filters that are none', async (t) => {
  for (const query of ['?status=lost', '?q=', '?sku=', '?page=2', '?limit=1000'])
    t.same(tally([await list(query)]), { '422 VALIDATION_FAILED': 1 }, query)
  t.same(tally([await operator.get('/v1/products/17')]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of products:read', async (t) => {
  const writer = as(await tenant.keyWith(['products:write', 'orders:read']))
  const [{ id }] = (await list()).body.data
  for (const url of ['/v1/products', `/v1/products/${id}`])
    t.same(tally([await writer.get(url)]), { '403 FORBIDDEN': 1 }, url)
})

t.test("answers for another tenant's product and cursor as for absent ones", async (t) => {
  const theirs = await as(stranger.key).get('/v1/products?limit=1')
  const foreign = await operator.get(`/v1/products/${theirs.body.data[0].id}`)
  t.equal(foreign.status, 404)
  t.same(refusalOf(foreign), refusalOf(await operator.get(`/v1/products/${newId('prd')}`)))
  const { nextCursor } = theirs.body.meta.page
  t.same(refusalOf(await list(`?after=${nextCursor}`)), refusalOf(await list('?after=bm9uc2Vuc2U')))
})
