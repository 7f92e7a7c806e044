import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'

/** Where a page starts: the sort values of the row before (or after) it. */
export type PagePosition = readonly (string | number)[]

export interface PageRequest {
  /** Most items to return, 1–100. */
  readonly limit: number
  readonly direction: 'forward' | 'backward'
  readonly position: PagePosition | null
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Position of the last item when there are items after it. */
  readonly next: PagePosition | null
  /** Position of the first item when there are items before it. */
  readonly previous: PagePosition | null
}

/** A page by its number, for tables with page numbers. */
export interface TableRequest {
  /** From 1. */
  readonly page: number
  readonly pageSize: number
}

/** Rows that page numbers can reach: page × pageSize stays within them. */
export const maxTableRows = 10_000

export interface TablePage<T> {
  readonly items: readonly T[]
  /** How many there are, counted to `maxTableRows` at most. */
  readonly totalItems: number
}

/** A page of a sequence without gaps, which is read onwards from a position. */
export interface SequencePage<T> {
  readonly items: readonly T[]
  /** The position to go on from, at the end of the sequence as well. */
  readonly next: number
  readonly hasMore: boolean
}

/**
 * The rows of a page in the order of `columns`, which together tell rows apart, and one row more: see `toPage`. The
 * position is a condition that an index answers, however far into the list it is.
 */
export function selectPage<DB, T extends keyof DB, R>(
  rows: SelectQueryBuilder<DB, T, R>,
  { columns, order }: PageOrder,
  { limit, direction, position }: PageRequest,
): SelectQueryBuilder<DB, T, R> {
  const ascends = (order === 'asc') === (direction === 'forward')
  const keys = columns.map((column) => sql.ref(column))
  const sorted = keys.reduce((query, key) => query.orderBy(key, ascends ? 'asc' : 'desc'), rows).limit(limit + 1)
  if (position === null) return sorted
  return sorted.where(sql<boolean>`(${sql.join(keys)}) ${ascends ? sql`>` : sql`<`} (${sql.join([...position])})`)
}

export interface PageOrder {
  readonly columns: readonly string[]
  readonly order: 'asc' | 'desc'
}

/**
 * The same for rows whose `column` has one of `values`. The first rows of each value are read off an index and merged:
 * one scan over `= any(…)` would have to sort all of them. The values, of a short list, stand in the text, where
 * partial indexes see them.
 */
export async function selectPageAmong<DB, T extends keyof DB, R>(
  db: Pick<Kysely<DB>, 'executeQuery' | 'getExecutor'>,
  rows: SelectQueryBuilder<DB, T, R>,
  { column, values }: { readonly column: string; readonly values: readonly string[] },
  order: PageOrder,
  page: PageRequest,
): Promise<R[]> {
  const each = [...new Set(values)]
    .sort()
    .map((value) => selectPage(rows.where(sql<boolean>`${sql.ref(column)} = ${sql.lit(value)}`), order, page))
  const direction = sql.raw((order.order === 'asc') === (page.direction === 'forward') ? 'asc' : 'desc')
  const keys = order.columns.map((key) => sql`${sql.ref(key)} ${direction}`)
  const merged = sql<R>`select page.* from (${sql.join(each, sql` union all `)}) as page
    order by ${sql.join(keys)} limit ${page.limit + 1}`
  return (await db.executeQuery(merged.compile(db))).rows
}

/** The usual order of a list: ids are made in the order of time. */
export const newestFirst = { columns: ['id'], order: 'desc' } as const

/**
 * Makes a page of rows that were read in the request's direction with `limit + 1`: the extra row only tells that
 * there is more.
 */
export function toPage<R, T>(
  rows: readonly R[],
  request: PageRequest,
  positionOf: (row: R) => PagePosition,
  present: (row: R) => T,
): Page<T> {
  const more = rows.length > request.limit
  const kept = rows.slice(0, request.limit)
  if (request.direction === 'backward') kept.reverse()
  const [first, last] = [kept[0], kept[kept.length - 1]]
  const entered = request.position !== null
  const hasNext = request.direction === 'forward' ? more : entered
  const hasPrevious = request.direction === 'forward' ? entered : more
  return {
    items: kept.map(present),
    next: hasNext && last !== undefined ? positionOf(last) : null,
    previous: hasPrevious && first !== undefined ? positionOf(first) : null,
  }
}
