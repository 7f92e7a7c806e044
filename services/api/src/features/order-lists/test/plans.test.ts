import t, { type Test } from 'tap'
import type { PageRequest } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { pagesOf, planNodes } from '#test/explained.ts'
import { harness } from '#test/harness.ts'
import { plansOf } from '#test/plans.ts'
import { selectExternalOrder, selectOrder, selectTimeline } from '../../orders/repository.ts'
import { countOrders, selectOrders, selectOrderTable } from '../repository.ts'
import type { OrderFilter } from '../schemas.ts'

const rowCount = 60_000
/** Far fewer than the table has; a page of 20 takes 20 rows from 20 pages at worst, for each of three statuses. */
const mostPages = 250
const { tenant, db } = await harness(t)
await tenant.stock([{ sku: 'MUG', onHand: 10 }])

/** Orders of a year, one in a thousand still pending, one in three from one of ten sources. */
await db.query(
  `insert into orders (organization_id, id, number, status, source, external_id, location_id, payment_terms, currency,
    items_amount, discount_amount, shipping_amount, tax_amount, total_amount, customer, metadata, placed_at, version,
    created_at, updated_at)
  select $1, 'ord_' || lpad(n::text, 26, '0'), to_char(at, 'YYYYMMDD') || '-' || lpad(n::text, 8, '0'),
    case when n % 1000 = 0 then 'pending' when n % 5 = 0 then 'cancelled' else 'confirmed' end,
    case when n % 3 = 0 then 'source-' || n % 10 end, case when n % 3 = 0 then 'E' || n end, $2, 'onAccount', 'GBP',
    1, 0, 0, 0, 1, case when n % 2 = 0 then jsonb_build_object('email', 'c' || n % 5000 || '@x.example') end, '{}', at, 2,
    at, at
  from generate_series(1, $3) n, lateral (select timestamptz '2025-01-01' + n * interval '8 minutes' as at) t`,
  [tenant.organizationId, tenant.locationId, rowCount],
)
await db.query(
  `insert into order_lines (organization_id, order_id, position, id, sku, title, tracked, quantity, unit_price_amount,
    discount_amount, tax_amount, total_amount, metadata)
  select organization_id, id, 0, 'lin' || substr(id, 4), 'MUG', 'Mug', true, 1, 1, 0, 0, 1, '{}' from orders`,
)
await db.query(
  `insert into order_holds (organization_id, order_id, id, kind, blocks, created_at, released_at)
  select organization_id, id, 'hld' || substr(id, 4), 'manual', 'fulfill', created_at, created_at from orders`,
)
await db.query(
  `insert into ledger (organization_id, id, type, occurred_at, actor, request_id, resource_type, resource_id,
    resource_version, changed, data)
  select organization_id, 'evt' || substr(id, 4), 'order.placed', created_at, '{}', 'r', 'order', id, 1, '{}', '{}' from orders`,
)
await db.query('vacuum analyze orders, order_lines, order_holds, ledger')

/** No scan of the table, and no more pages touched than a page of the answer takes. */
async function isServedByIndexes(t: Test, name: string, read: (view: View) => Promise<unknown>): Promise<void> {
  for (const plan of await plansOf(db, tenant.organizationId, read)) {
    const scans = planNodes(plan).filter((node) => node['Node Type'] === 'Seq Scan')
    t.same(scans, [], `${name}: no scan of the table`)
    const touched = pagesOf(plan)
    t.ok(touched <= mostPages, `${name}: ${touched} pages touched`)
  }
}

const page = (position: PageRequest['position'] = null, direction: PageRequest['direction'] = 'forward') =>
  ({ limit: 20, direction, position }) as const
const middle = 'ord_00000000000000000000030000'
const byTime = ['2025-06-16T16:00:00.000Z', middle]
const filters: readonly Partial<OrderFilter>[] = [
  {},
  { status: ['pending'] },
  { status: ['confirmed', 'pending', 'cancelled'] },
  { status: ['draft'] },
  { source: 'source-3' },
  { source: 'nobody' },
]

t.test('every sort and filter reads its page off an index, from the start, the middle and backwards', async (t) => {
  for (const filter of filters)
    for (const sort of ['-createdAt', 'createdAt', '-placedAt', 'placedAt'] as const) {
      const asked = { ...filter, sort }
      const name = JSON.stringify(asked)
      const position = sort.endsWith('placedAt') ? byTime : [middle]
      await isServedByIndexes(t, name, (view) => selectOrders(view, asked, page()))
      await isServedByIndexes(t, `${name} after`, (view) => selectOrders(view, asked, page(position)))
      await isServedByIndexes(t, `${name} before`, (view) => selectOrders(view, asked, page(position, 'backward')))
    }
})

t.test('what finds few orders finds them by an index', async (t) => {
  const sort = '-createdAt'
  for (const filter of [
    { number: '20250616-00030000' },
    { email: 'C30@x.example' },
    { q: '20250616-0003' },
    { q: 'E3000' },
    { q: 'nothing' },
  ])
    await isServedByIndexes(t, JSON.stringify(filter), (view) => selectOrders(view, { ...filter, sort }, page()))
})

t.test('page numbers and counts touch no more than they reach', async (t) => {
  const sort = '-createdAt'
  const asked = { sort, status: ['pending'] } as const
  const filter = { ...asked, status: [...asked.status] }
  await isServedByIndexes(t, 'a table', (view) => selectOrderTable(view, { sort }, { page: 2, pageSize: 20 }))
  await isServedByIndexes(t, 'a table of a status', (view) => selectOrderTable(view, filter, { page: 1, pageSize: 20 }))
  await isServedByIndexes(t, 'a count', (view) => countOrders(view, filter))
})

t.test('an order is read by its key', async (t) => {
  await isServedByIndexes(t, 'get', (view) => selectOrder(view, middle))
  await isServedByIndexes(t, 'by external id', (view) => selectExternalOrder(view, 'source-0', 'E30000'))
  await isServedByIndexes(t, 'timeline', (view) => selectTimeline(view, middle, page()))
})
