import { type RawBuilder, sql } from 'kysely'
import { type SummaryRow, summaryColumns } from '#features/orders/index.ts'
import { maxTableRows, type PageRequest, type TableRequest } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { type OrderFilter, sortOf } from './schemas.ts'

type Fragment = RawBuilder<unknown>

/** A page behind (or before) a position, read off the index of its order. */
export async function selectOrders(
  view: View,
  filter: OrderFilter,
  { limit, direction, position }: PageRequest,
): Promise<readonly SummaryRow[]> {
  const order = orderOf(filter, direction === 'backward')
  const values = sql.join(position ?? [])
  const beyond = position ? [sql`(${order.key}) ${order.descends ? sql`<` : sql`>`} (${values})`] : []
  const { rows } = await run(view, ordered(view, filter, beyond, order, sql`limit ${limit + 1}`))
  return rows
}

export async function selectOrderTable(
  view: View,
  filter: OrderFilter,
  { page, pageSize }: TableRequest,
): Promise<readonly SummaryRow[]> {
  const order = orderOf(filter, false)
  const within = sql`limit ${page * pageSize}`
  const skipped = sql`offset ${(page - 1) * pageSize}`
  const { rows } = await run(view, ordered(view, filter, [], order, within, skipped))
  return rows
}

/** How many there are, counted along an index and no further than page numbers reach. */
export async function countOrders(view: View, filter: OrderFilter): Promise<number> {
  const counted = { ...orderOf(filter, false), columns: sql`id, placed_at` }
  const found = ordered(view, filter, [], counted, sql`limit ${maxTableRows}`)
  const { rows } = await run(view, sql<{ count: number }>`select count(*)::integer as count from (${found}) as found`)
  return rows[0]?.count ?? 0
}

interface Order {
  readonly key: Fragment
  readonly clause: Fragment
  readonly descends: boolean
  readonly columns: Fragment
}

const columnList = sql.raw(summaryColumns.join(', '))

function orderOf(filter: OrderFilter, reversed: boolean): Order {
  const sort = sortOf(filter)
  const names = sort.endsWith('placedAt') ? ['placed_at', 'id'] : ['id']
  const descends = sort.startsWith('-') !== reversed
  const key = sql.raw(names.join(', '))
  const clause = sql.raw(`order by ${names.map((name) => `${name} ${descends ? 'desc' : 'asc'}`).join(', ')}`)
  return { key, clause, descends, columns: columnList }
}

/**
 * Rows in their order. With statuses, the first rows of each are read off the index and then merged: one scan over
 * `status = any(…)` would have to sort all of them.
 */
function ordered(
  view: View,
  filter: OrderFilter,
  beyond: readonly Fragment[],
  { clause, columns }: Order,
  limit: Fragment,
  offset = sql``,
) {
  const conditions = [...conditionsOf(view, filter), ...beyond]
  const first = (wanted: readonly Fragment[]) =>
    sql<SummaryRow>`select ${columns} from orders ${where(wanted)} ${clause} ${limit}`
  if (filter.status === undefined) return sql<SummaryRow>`${first(conditions)} ${offset}`
  const ofOne = first([sql`status = wanted.name`, ...conditions])
  const statuses = [...new Set(filter.status)]
  return sql<SummaryRow>`select page.* from unnest(${statuses}::text[]) as wanted (name) cross join lateral (${ofOne}) as page
    ${clause} ${limit} ${offset}`
}

const where = (conditions: readonly Fragment[]): Fragment =>
  conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`

const maxStarting = 1_000

/** Sorts after every text that starts with what it is put behind, in byte order. */
const last = '\u{10ffff}'

/** Everything but the statuses. Comparisons with columns alone: row-level security keeps others out of index scans. */
function conditionsOf({ actor: { sources } }: View, filter: OrderFilter): Fragment[] {
  const conditions: Fragment[] = []
  if (sources !== null) conditions.push(sql`source = any(${[...sources]})`)
  const { source, email, number, q, placedFrom, placedTo } = filter
  if (sortOf(filter).endsWith('placedAt')) conditions.push(sql`placed_at is not null`)
  if (source !== undefined) conditions.push(sql`source = ${source}`)
  if (email !== undefined) conditions.push(sql`customer_email = ${email.toLowerCase()}`)
  if (number !== undefined) conditions.push(sql`number = ${number}`)
  if (placedFrom !== undefined) conditions.push(sql`placed_at >= ${new Date(placedFrom)}`)
  if (placedTo !== undefined) conditions.push(sql`placed_at < ${new Date(placedTo)}`)
  if (q !== undefined) conditions.push(sql`id = any(array(${startingWith(q, sources)}))`)
  return conditions
}

/** Ids of the orders whose number or external id starts so: of each the last ones, or a short start would find all. */
function startingWith(q: string, sources: ReadonlySet<string> | null): Fragment {
  const seen = sources === null ? [] : [sql`source = any(${[...sources]})`]
  const ids = (column: Fragment, start: string): Fragment =>
    sql`(select id from orders ${where([sql`${column} >= ${start}`, sql`${column} < ${start + last}`, ...seen])}
      order by ${column} desc limit ${maxStarting})`
  return sql`${ids(sql`number`, q.toUpperCase())} union ${ids(sql`external_id`, q)}`
}

const run = <R>(view: View, fragment: RawBuilder<R>) => view.db.executeQuery<R>(fragment.compile(view.db))
