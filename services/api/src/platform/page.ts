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
