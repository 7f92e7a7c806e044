import t from 'tap'
import { createCursors } from '#http/cursor.ts'
import { harness } from '#test/harness.ts'

const h = await harness(t)
const skus = Array.from({ length: 23 }, (_, index) => `SKU-${String(index).padStart(2, '0')}`)
await h.tenant.stock(skus.map((sku) => ({ sku, onHand: 1 })))
const client = h.as(h.tenant.key)
type Item = { sku: string }
const skusOf = (body: { data: Item[] }) => body.data.map(({ sku }) => sku)

async function walk(url: string, direction: 'after' | 'before', from?: string) {
  const pages: string[][] = []
  let cursor: string | null = from ?? null
  do {
    const { status, body } = await client.get(`${url}${cursor === null ? '' : `&${direction}=${cursor}`}`)
    if (status !== 200) throw new Error(`${status}`)
    pages.push(skusOf(body))
    const { page } = body.meta
    if (page.hasMore !== (page.nextCursor !== null)) throw new Error('hasMore says otherwise than nextCursor')
    cursor = direction === 'after' ? page.nextCursor : page.previousCursor
  } while (cursor !== null && pages.length < 30)
  return pages
}

t.test('forward through all pages: every item once, in order', async (t) => {
  for (const limit of [1, 4, 5, 22, 23, 24, 100]) {
    const pages = await walk(`/v1/stock?limit=${limit}`, 'after')
    t.same(pages.flat(), skus, `${limit} a page`)
    t.equal(pages.length, Math.ceil(23 / limit))
  }
  t.equal((await client.get('/v1/stock')).body.data.length, 20, 'the default')
})

t.test('backward again: the same pages in reverse', async (t) => {
  const forward = await walk('/v1/stock?limit=5', 'after')
  let last = (await client.get('/v1/stock?limit=5')).body
  while (last.meta.page.nextCursor)
    last = (await client.get(`/v1/stock?limit=5&after=${last.meta.page.nextCursor}`)).body
  t.equal(last.meta.page.hasMore, false)
  const backward = await walk('/v1/stock?limit=5', 'before', last.meta.page.previousCursor)
  t.same([...backward.toReversed().flat(), ...skusOf(last)], forward.flat())
  const first = (await client.get('/v1/stock?limit=5')).body
  t.equal(first.meta.page.previousCursor, null, 'nothing before the first page')
})

t.test('a list that is newest first walks the same way, while rows are added', async (t) => {
  const first = (await client.get('/v1/products?limit=10')).body
  t.same(skusOf(first), skus.toReversed().slice(0, 10))
  await client.post('/v1/products', { sku: 'LATE', title: 'Late', prices: [] })
  const second = (await client.get(`/v1/products?limit=10&after=${first.meta.page.nextCursor}`)).body
  t.same(skusOf(second), skus.toReversed().slice(10, 20), 'no item twice, none left out')
  const newer = (await client.get(`/v1/products?limit=10&before=${second.meta.page.previousCursor}`)).body
  t.same(skusOf(newer), skusOf(first))
  t.ok(newer.meta.page.previousCursor, 'the late one is before')
})

t.test('a cursor belongs to one list, filter, path and tenant', async (t) => {
  const refused = async (url: string, label: string, key = h.tenant.key) =>
    t.match(await h.as(key).get(url), { status: 400, body: { error: { code: 'INVALID_CURSOR' } } }, label)
  const cursorOf = async (url: string): Promise<string> => (await client.get(url)).body.meta.page.nextCursor
  const cursor = await cursorOf('/v1/stock?limit=2')
  const other = await h.otherTenant()
  t.equal((await client.get(`/v1/stock?limit=7&after=${cursor}`)).status, 200, 'the limit may change')
  await refused(`/v1/stock?after=${cursor}&locationId=${h.tenant.locationId}`, 'another filter')
  await refused(`/v1/products?after=${cursor}`, 'another list')
  await refused(`/v1/stock?after=${cursor}`, 'another tenant', other.key)
  await refused(`/v1/stock?after=${cursor}&before=${cursor}`, 'both directions')
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'SKU-00', quantity: 1 }] }
  const { id } = (await client.post('/v1/orders', order)).body.data
  const another = { ...order, lines: [{ sku: 'SKU-01', quantity: 1 }] }
  const { id: otherId } = (await client.post('/v1/orders', another)).body.data
  const timeline = await cursorOf(`/v1/orders/${id}/timeline?limit=1`)
  t.equal((await client.get(`/v1/orders/${id}/timeline?after=${timeline}`)).status, 200)
  await refused(`/v1/orders/${otherId}/timeline?after=${timeline}`, "another order's timeline")
})

t.test('a cursor that was changed, shortened or made up is refused', async (t) => {
  const cursor: string = (await client.get('/v1/stock?limit=2')).body.meta.page.nextCursor
  const flipped = (index: number) =>
    `${cursor.slice(0, index)}${cursor[index] === 'A' ? 'B' : 'A'}${cursor.slice(index + 1)}`
  const forged = createCursors('another secret of this length').encode(['SKU-01', 'loc_1'], 'stock.listLevels')
  const made = Buffer.from(`${'x'.repeat(16)}["SKU-05","loc_1"]`).toString('base64url')
  for (const bad of [
    flipped(0),
    flipped(20),
    flipped(30),
    cursor.slice(0, 30),
    cursor.slice(0, 5),
    'x',
    made,
    forged,
  ]) {
    const answer = await client.get(`/v1/stock?after=${bad}`)
    t.match(answer, { status: 400, body: { error: { code: 'INVALID_CURSOR' } } }, bad)
  }
  t.equal((await client.get('/v1/stock?after=')).status, 400, 'an empty one')
  t.equal((await client.get(`/v1/stock?after=${'x'.repeat(1_025)}`)).status, 422, 'an endless one')
})
