import type { OrderSummary, Page } from '@purser/sdk'
import { test } from 'tap'
import { failure, ok, problem, type Received, serve } from './server.ts'

const size = 45
const ids = Array.from({ length: size }, (_, index) => `ord_${index}`)

/** A list of 45 orders whose cursors are positions. */
function orders({ url }: Received) {
  const query = new URL(url, 'http://x').searchParams
  const limit = Number(query.get('limit') ?? 20)
  const before = query.get('before')
  const from = before === null ? Number(query.get('after') ?? 0) : Math.max(0, Number(before) - limit)
  const to = before === null ? Math.min(size, from + limit) : Number(before)
  const page = {
    nextCursor: to < size ? String(to) : null,
    previousCursor: from > 0 ? String(from) : null,
    hasMore: to < size,
  }
  const data = ids.slice(from, to).map((id) => ({ id }))
  return ok(data, page)
}

const idsOf = (items: readonly OrderSummary[]) => items.map(({ id }) => id)

test('iterates over all items, page by page', async (t) => {
  const { client, requests } = await serve(t, orders)
  const seen: OrderSummary[] = []
  for await (const order of client().orders.list({ status: ['pending', 'confirmed'] })) seen.push(order)
  t.strictSame(idsOf(seen), ids)
  t.strictSame(
    requests.map(({ url }) => url),
    ['', '&after=20', '&after=40'].map((cursor) => `/v1/orders?status=pending&status=confirmed${cursor}`),
  )
})

test('gives one page when awaited', async (t) => {
  const { client, requests } = await serve(t, orders)
  const { data, page } = await client().orders.list({ limit: 2 })
  t.strictSame(idsOf(data), ['ord_0', 'ord_1'])
  t.match(page, { nextCursor: '2', hasMore: true })
  const next = await client().orders.list({ limit: 2, after: page.nextCursor ?? '' })
  t.strictSame(idsOf(next.data), ['ord_2', 'ord_3'])
  t.equal(requests.length, 2)
})

test('sends nothing until it is awaited or iterated, and iterates from the start each time', async (t) => {
  const { client, requests } = await serve(t, orders)
  const list = client().orders.list({ limit: 100 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(requests.length, 0)
  t.equal((await list.toArray({ limit: Infinity })).length, size)
  t.equal((await list.toArray({ limit: Infinity })).length, size)
  t.equal(requests.length, 2)
})

test('gives whole pages', async (t) => {
  const { client } = await serve(t, orders)
  const pages: Page<OrderSummary>[] = []
  for await (const page of client().orders.list().pages()) pages.push(page)
  t.strictSame(
    pages.map(({ data }) => data.length),
    [20, 20, 5],
  )
})

test('asks for no page that nobody reads', async (t) => {
  const { client, requests } = await serve(t, orders)
  for await (const order of client().orders.list()) if (order.id === 'ord_19') break
  t.equal(requests.length, 1)
})

test('walks backwards from a cursor given as before', async (t) => {
  const { client } = await serve(t, orders)
  const pages: string[][] = []
  for await (const { data } of client().orders.list({ before: '45', limit: 20 }).pages()) pages.push(idsOf(data))
  t.strictSame(pages, [ids.slice(25, 45), ids.slice(5, 25), ids.slice(0, 5)])
})

test('collects at most as many items as asked for, in few requests', async (t) => {
  const { client, requests } = await serve(t, orders)
  t.strictSame(idsOf(await client().orders.list().toArray({ limit: 30 })), ids.slice(0, 30))
  t.strictSame(
    requests.map(({ url }) => url),
    ['/v1/orders?limit=30'],
  )
  t.strictSame(idsOf(await client().orders.list({ limit: 10 }).toArray({ limit: 15 })), ids.slice(0, 15))
  t.equal(requests.length, 3)
  t.strictSame(await client().orders.list().toArray({ limit: 0 }), [])
  t.equal(requests.length, 3)
})

test('stops at an abort, within a page and between pages', async (t) => {
  const { client, requests } = await serve(t, orders)
  for (const stopAt of [3, 20]) {
    const controller = new AbortController()
    let seen = 0
    const walk = async () => {
      for await (const _ of client().orders.list({}, { signal: controller.signal }))
        if (++seen === stopAt) controller.abort()
    }
    await t.rejects(walk(), { code: 'ABORTED', operation: 'orders.list' })
    t.equal(seen, stopAt)
  }
  t.equal(requests.length, 2)
})

test('throws when a page fails, and gives the first page safely', async (t) => {
  const { client } = await serve(t, (request, index) =>
    index === 1 ? problem(400, 'INVALID_CURSOR') : orders(request),
  )
  const seen: OrderSummary[] = []
  const walk = async () => {
    for await (const order of client().orders.list()) seen.push(order)
  }
  t.match(await failure(walk()), { code: 'INVALID_CURSOR', operation: 'orders.list' })
  t.equal(seen.length, 20)
  t.match(await client().orders.list().safe(), { ok: true, data: { page: { hasMore: true } } })
  t.match(await client().orders.list().withResponse(), {
    attempts: 1,
    requestId: 'req_body',
    response: { status: 200 },
  })
})
