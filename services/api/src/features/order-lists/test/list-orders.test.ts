import t from 'tap'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { tally } from '#test/persistence.ts'

const start = Date.parse('2026-03-01T00:00:00.000Z')
const day = 86_400_000
let now = start
const { as, tenant, otherTenant, db } = await harness(t, { clock: { now: () => new Date(now) } })
const operator = as(tenant.key)
const stranger = await otherTenant()
await tenant.stock([{ sku: 'MUG', onHand: 10_000 }])
await stranger.stock([{ sku: 'MUG', onHand: 10_000 }])

type Placed = { id: string; number: string }
/** Ten orders, one a day; 2 and 5 as drafts, of which 2 is placed after all others, and 7 cancelled. */
const placed: Placed[] = []
for (let index = 0; index < 10; index++) {
  now = start + index * day
  const { body } = await operator.post('/v1/orders', {
    draft: index === 2 || index === 5,
    paymentTerms: index % 2 === 0 ? 'prepaid' : 'onAccount',
    lines: [{ sku: 'MUG', quantity: 1 }],
    ...(index % 3 === 0 ? { source: index === 9 ? 'market' : 'shop', externalId: `EXT-${index}` } : {}),
    ...(index % 4 === 0 ? { customer: { email: `Ada.${index === 8 ? 4 : index}@Canary.example` } } : {}),
  })
  placed.push(body.data)
}
const idOf = (index: number): string => placed[index]?.id ?? ''
now = start + 10 * day
await operator.post(`/v1/orders/${idOf(2)}/place`)
await operator.post(`/v1/orders/${idOf(7)}/cancel`, {})
await as(stranger.key).post('/v1/orders', { source: 'shop', externalId: 'EXT-0', lines: [{ sku: 'MUG', quantity: 1 }] })

const list = (query = '') => operator.get(`/v1/orders${query}`)
const table = (query = '') => operator.get(`/v1/orders/table${query}`)
const indexes = ({ body }: Answer): number[] =>
  body.data.map(({ id }: Placed) => placed.findIndex((order) => order.id === id))

t.test('sorts by creation and by placing, drafts left out where they have no place', async (t) => {
  for (const [sort, expected] of [
    ['-createdAt', [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    ['createdAt', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['-placedAt', [2, 9, 8, 7, 6, 4, 3, 1, 0]],
    ['placedAt', [0, 1, 3, 4, 6, 7, 8, 9, 2]],
  ] as const) {
    t.same(indexes(await list(`?sort=${sort}`)), expected, sort)
    t.same(indexes(await table(`?sort=${sort}`)), expected, `${sort} by page number`)
  }
  t.same(indexes(await list()), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 'newest first unless told otherwise')
})

const filters: readonly [string, readonly number[]][] = [
  ['status=draft', [5]],
  ['status=pending', [8, 6, 4, 2, 0]],
  ['status=cancelled&status=draft&status=pending', [8, 7, 6, 5, 4, 2, 0]],
  ['status=draft&status=draft', [5]],
  ['source=shop', [6, 3, 0]],
  ['source=shop&status=pending', [6, 0]],
  ['email=ada.4%40canary.EXAMPLE', [8, 4]],
  ['email=nobody%40canary.example', []],
  ['q=EXT', [9, 6, 3, 0]],
  ['q=EXT-3', [3]],
  ['q=ext', []],
  [`q=${placed[1]?.number.toLowerCase()}`, [1]],
  ['q=202603', [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
  ['q=%25%25%25', []],
  [`number=${placed[4]?.number}`, [4]],
  ['placedFrom=2026-03-04T00:00:00.000Z&placedTo=2026-03-08T00:00:00.000Z', [6, 4, 3]],
]

t.test('filters, alone and together, by cursor and by page number alike', async (t) => {
  for (const [query, expected] of filters) {
    t.same(indexes(await list(`?${query}`)), expected, query)
    const answer = await table(`?${query}`)
    t.same(indexes(answer), expected, `${query} by page number`)
    t.equal(answer.body.meta.page.totalItems, expected.length, `${query} counted`)
  }
})

t.test('walks every sort and filter forwards and backwards, one by one, without gap or repetition', async (t) => {
  for (const query of [
    '',
    'sort=createdAt',
    'sort=-placedAt',
    'sort=placedAt',
    'status=pending&status=confirmed&sort=placedAt',
    'source=shop',
  ])
    for (const limit of [1, 4]) {
      const all = indexes(await list(`?${query}`))
      const forwards: number[] = []
      let last: Answer | undefined
      for (let after = ''; ; after = `&after=${last.body.meta.page.nextCursor}`) {
        last = await list(`?${query}&limit=${limit}${after}`)
        forwards.push(...indexes(last))
        if (!last.body.meta.page.hasMore) break
      }
      t.same(forwards, all, `${query} by ${limit}`)
      const backwards = indexes(last)
      while (last.body.meta.page.previousCursor !== null) {
        last = await list(`?${query}&limit=${limit}&before=${last.body.meta.page.previousCursor}`)
        backwards.unshift(...indexes(last))
      }
      t.same(backwards, all, `${query} by ${limit}, backwards`)
    }
})

t.test('keeps the place of orders placed in the same millisecond', async (t) => {
  now = start + 20 * day
  const twins = await Promise.all(
    Array.from({ length: 6 }, () => operator.post('/v1/orders', { lines: [{ sku: 'MUG', quantity: 1 }] })),
  )
  const ids = twins.map(({ body }) => body.data.id).sort()
  const seen: string[] = []
  let cursor = ''
  for (let page = 0; page < 6; page++) {
    const { body } = await list(`?sort=placedAt&placedFrom=2026-03-21T00:00:00.000Z&limit=1${cursor}`)
    seen.push(body.data[0].id)
    cursor = `&after=${body.meta.page.nextCursor}`
  }
  t.same(seen, ids)
})

t.test('a cursor belongs to its sort', async (t) => {
  const { body } = await list('?sort=placedAt&limit=1')
  const answer = await list(`?sort=-placedAt&limit=1&after=${body.meta.page.nextCursor}`)
  t.same(tally([answer]), { '400 INVALID_CURSOR': 1 })
})

t.test('tells of pages by number, past the end too', async (t) => {
  const first = await table('?pageSize=4&sort=createdAt&placedTo=2026-03-20T00:00:00.000Z')
  t.same(indexes(first), [0, 1, 2, 3])
  t.same(first.body.meta.page, { page: 1, pageSize: 4, totalItems: 9, totalPages: 3 })
  const third = await table('?pageSize=4&page=3&sort=createdAt&placedTo=2026-03-20T00:00:00.000Z')
  t.same(indexes(third), [9])
  const beyond = await table('?pageSize=4&page=9&status=draft')
  t.same(beyond.body.data, [])
  t.same(beyond.body.meta.page, { page: 9, pageSize: 4, totalItems: 1, totalPages: 1 })
  t.same((await table('?status=rejected')).body.meta.page, { page: 1, pageSize: 20, totalItems: 0, totalPages: 0 })
})

t.test('page numbers reach 10,000 rows, and no further', async (t) => {
  t.equal((await table('?page=100&pageSize=100')).status, 200)
  const answer = await table('?page=101&pageSize=100')
  t.same(tally([answer]), { '422 VALIDATION_FAILED': 1 })
  t.match(answer.body.errors, [{ field: 'page', pointer: '/page', code: 'TOO_LARGE', message: 'must be at most 100' }])
})

t.test('refuses filters and sorts that are none', async (t) => {
  for (const query of [
    'sort=total',
    'sort=',
    'q=ab',
    'q=',
    'email=x',
    'status=open',
    'page=0',
    'pageSize=101',
    'limit=1',
  ])
    t.same(tally([await table(`?${query}`)]), { '422 VALIDATION_FAILED': 1 }, query)
  t.same(tally([await list('?page=1')]), { '422 VALIDATION_FAILED': 1 })
})

t.test('shows nothing personal', async (t) => {
  for (const { text } of [await list(), await table()]) t.notMatch(text, /canary/i)
})

t.test('is for holders of orders:read, and each tenant sees its own', async (t) => {
  const writer = as(await tenant.keyWith(['orders:write']))
  t.same(tally([await writer.get('/v1/orders/table')]), { '403 FORBIDDEN': 1 })
  const theirs = await as(stranger.key).get('/v1/orders/table?source=shop')
  t.equal(theirs.body.data.length, 1)
  t.equal(theirs.body.meta.page.totalItems, 1)
})

t.test('afterwards no order has moved', async (t) => {
  const { rows } = await db.query('select count(*)::int as count from orders where customer_email is not null')
  t.same(rows, [{ count: 3 }])
})
