import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const start = Date.parse('2026-03-01T00:00:00.000Z')
const day = 86_400_000
let now = start
const { as, tenant, otherTenant, db } = await harness(t, { clock: { now: () => new Date(now) } })
const operator = as(tenant.key)
const stranger = await otherTenant()
const theirs = as(stranger.key)

await tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
await stranger.stock([{ sku: 'MUG', onHand: 1_000 }])

/** Twelve orders, one a day: prepaid and on account in turn, every third one from the shop, the fifth cancelled. */
const placed: { id: string; number: string; version: number }[] = []
for (let index = 0; index < 12; index++) {
  now = start + index * day
  const { body } = await operator.post('/v1/orders', {
    paymentTerms: index % 2 === 0 ? 'prepaid' : 'onAccount',
    lines: [{ sku: 'MUG', quantity: index + 1 }],
    customer: { name: 'Ada Canary' },
    ...(index % 3 === 0 ? { source: 'shop', externalId: `E/${index} ü` } : {}),
  })
  placed.push(body.data)
}
const idAt = (index: number): string => placed[index]?.id ?? ''
await operator.post(`/v1/orders/${idAt(5)}/cancel`, {})
const theirOrder = await theirs.post('/v1/orders', {
  lines: [{ sku: 'MUG', quantity: 1 }],
  paymentTerms: 'onAccount',
  source: 'shop',
  externalId: 'T-1',
})

/** Which of the twelve are on a page. */
const indexes = ({ body }: Answer): number[] =>
  body.data.map(({ id }: { id: string }) => placed.findIndex((order) => order.id === id))
const list = (query = '') => operator.get(`/v1/orders${query}`)

t.test('reads one order in full, 304 while it is unchanged', async (t) => {
  const { status, body, headers } = await operator.get(`/v1/orders/${idAt(1)}`)
  t.equal(status, 200)
  t.strictSame(body.data, placed[1])
  const tag = headers.etag ?? ''
  t.match(tag, /^"2\.[0-9a-f]{6}"$/)
  const unchanged = await operator.get(`/v1/orders/${idAt(1)}`, { 'if-none-match': tag })
  t.equal(unchanged.status, 304)
  t.equal(unchanged.text, '')
})

t.test('shows each caller what it may do, under an ETag of its own', async (t) => {
  const reader = as(await tenant.keyWith(['orders:read']))
  const [full, reading] = [await operator.get(`/v1/orders/${idAt(1)}`), await reader.get(`/v1/orders/${idAt(1)}`)]
  t.same(full.body.data.allowedActions, ['update', 'cancel', 'cancelLine', 'addHold'])
  t.same(reading.body.data.allowedActions, [])
  t.not(full.headers.etag, reading.headers.etag)
})

t.test('reads an order by source and external id', async (t) => {
  const url = `/v1/orders/external/shop/${encodeURIComponent('E/3 ü')}`
  const { status, body } = await operator.get(url)
  t.equal(status, 200)
  t.strictSame(body.data, placed[3])
})

t.test('lists summaries, newest first', async (t) => {
  const { status, body } = await list()
  t.equal(status, 200)
  t.same(indexes({ body } as Answer), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  t.same(body.meta.page, { nextCursor: null, previousCursor: null, hasMore: false })
  const {
    customer: _c,
    shippingAddress: _s,
    billingAddress: _b,
    notes: _n,
    lines: _l,
    cancelReason: _r,
    allowedActions: _a,
    holds: _h,
    discounts: _d,
    shipping: _sh,
    taxes: _t,
    ...summary
  } = placed[11] as unknown as Record<string, unknown>
  t.strictSame(body.data[0], summary, 'the order without its lines and personal fields')
})

t.test('filters by status, source, number and time of placing', async (t) => {
  const at = (index: number) => new Date(start + index * day).toISOString()
  for (const [query, expected] of [
    ['?status=cancelled', [5]],
    ['?status=pending', [10, 8, 6, 4, 2, 0]],
    ['?status=pending&status=cancelled', [10, 8, 6, 5, 4, 2, 0]],
    ['?status=completed', []],
    ['?source=shop', [9, 6, 3, 0]],
    ['?source=Shop', []],
    [`?number=${placed[7]?.number}`, [7]],
    [`?placedFrom=${at(9)}`, [11, 10, 9]],
    [`?placedTo=${at(2)}`, [1, 0]],
    [`?placedFrom=${at(2)}&placedTo=${at(4)}`, [3, 2]],
    [`?placedFrom=2026-03-11T00:00:00Z`, [11, 10]],
    [`?source=shop&status=pending&placedFrom=${at(1)}`, [6]],
  ] as const)
    t.same(indexes(await list(query)), expected, query)
})

t.test('pages forward to the end and backward to the start without a hole', async (t) => {
  const pages: number[][] = []
  let answer = await list('?limit=5')
  for (pages.push(indexes(answer)); answer.body.meta.page.hasMore; pages.push(indexes(answer)))
    answer = await list(`?limit=5&after=${answer.body.meta.page.nextCursor}`)
  t.same(pages, [
    [11, 10, 9, 8, 7],
    [6, 5, 4, 3, 2],
    [1, 0],
  ])
  t.equal(answer.body.meta.page.nextCursor, null)
  const back: number[][] = []
  while (answer.body.meta.page.previousCursor !== null) {
    answer = await list(`?limit=5&before=${answer.body.meta.page.previousCursor}`)
    back.push(indexes(answer))
  }
  t.same(back, [
    [6, 5, 4, 3, 2],
    [11, 10, 9, 8, 7],
  ])
  t.equal(answer.body.meta.page.hasMore, true)
})

t.test('keeps its place while orders are added and change status', async (t) => {
  const first = await list('?limit=3&status=pending&status=confirmed')
  t.same(indexes(first), [11, 10, 9])
  now = start + 20 * day
  await operator.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] })
  const second = await list(`?limit=3&status=pending&status=confirmed&after=${first.body.meta.page.nextCursor}`)
  t.same(indexes(second), [8, 7, 6])
})

t.test('refuses a cursor of another list, filter or making', async (t) => {
  const { nextCursor } = (await list('?limit=2')).body.meta.page
  for (const query of [
    `?after=${nextCursor}&status=pending`,
    `?after=${nextCursor.slice(0, -2)}AA`,
    '?after=nonsense',
    `?after=${nextCursor}&before=${nextCursor}`,
  ])
    t.same(tally([await list(query)]), { '400 INVALID_CURSOR': 1 }, query)
  t.same(tally([await operator.get(`/v1/products?after=${nextCursor}`)]), { '400 INVALID_CURSOR': 1 })
})

t.test('refuses parameters it does not know, and values that are none', async (t) => {
  for (const query of ['?state=pending', '?status=lost', '?limit=0', '?limit=101', '?limit=x', '?placedFrom=today'])
    t.same(tally([await list(query)]), { '422 VALIDATION_FAILED': 1 }, query)
})

t.test('tells the story of an order, version by version', async (t) => {
  const { status, body } = await operator.get(`/v1/orders/${idAt(5)}/timeline`)
  t.equal(status, 200)
  t.same(
    body.data.map(({ type, version, changed, order }: Record<string, Record<string, unknown>>) => [
      type,
      version,
      changed,
      order?.status,
    ]),
    [
      ['order.placed', 1, [], 'pending'],
      ['order.confirmed', 2, ['status', 'confirmedAt'], 'confirmed'],
      ['order.cancelled', 3, ['status', 'closedAt', 'lines'], 'cancelled'],
    ],
  )
  const [entry] = body.data
  t.match(entry, {
    id: /^evt_/,
    actor: { type: 'apiKey', id: /^usr_/ },
    occurredAt: placed[5] && new Date(start + 5 * day).toISOString(),
  })
  t.notMatch(JSON.stringify(body.data), /canary/i, 'without personal fields')
})

t.test('pages through a timeline both ways', async (t) => {
  const url = `/v1/orders/${idAt(5)}/timeline?limit=1`
  const versions = ({ body }: Answer) => body.data.map(({ version }: { version: number }) => version)
  const first = await operator.get(url)
  const second = await operator.get(`${url}&after=${first.body.meta.page.nextCursor}`)
  const third = await operator.get(`${url}&after=${second.body.meta.page.nextCursor}`)
  t.same([first, second, third].map(versions), [[1], [2], [3]])
  t.equal(third.body.meta.page.hasMore, false)
  t.same(versions(await operator.get(`${url}&before=${third.body.meta.page.previousCursor}`)), [2])
})

t.test('is for holders of orders:read', async (t) => {
  const writer = as(await tenant.keyWith(['orders:write']))
  const urls = ['', `/${idAt(1)}`, `/${idAt(1)}/timeline`, '/external/shop/E']
  for (const url of urls) t.same(tally([await writer.get(`/v1/orders${url}`)]), { '403 FORBIDDEN': 1 }, url)
})

t.test("answers for another tenant's order, cursor and external id as for absent ones", async (t) => {
  const { id, number } = theirOrder.body.data
  const alike = async (foreign: string, absent: string) => {
    const answer = await operator.get(foreign)
    t.same(refusalOf(answer), refusalOf(await operator.get(absent)), foreign)
    t.ok(answer.status >= 400)
  }
  await alike(`/v1/orders/${id}`, `/v1/orders/${newId('ord')}`)
  await alike(`/v1/orders/${id}/timeline`, `/v1/orders/${newId('ord')}/timeline`)
  await alike('/v1/orders/external/shop/T-1', '/v1/orders/external/shop/T-2')
  await theirs.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] })
  const { nextCursor } = (await theirs.get('/v1/orders?limit=1')).body.meta.page
  await alike(`/v1/orders?after=${nextCursor}`, '/v1/orders?after=bm9uc2Vuc2U')
  t.same(indexes(await list(`?number=${number}`)), [])
  const { rows } = await db.query('select count(*) from orders where organization_id = $1', [stranger.organizationId])
  t.equal((await theirs.get('/v1/orders')).body.data.length, Number(rows[0].count), 'and they see theirs alone')
})
