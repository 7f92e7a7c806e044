import { type Answer, Call } from './call.ts'

/** A part of a list. */
export interface Page<T> {
  readonly data: T[]
  readonly page: {
    /** Give it as `after` for the next page. A list of events has one at its end as well: what comes later is after it. */
    readonly nextCursor: string | null
    /** Give it as `before` for the previous page. */
    readonly previousCursor: string | null
    readonly hasMore: boolean
  }
}

/** A part of a table that is read by page numbers. */
export interface TablePage<T> {
  readonly data: T[]
  readonly page: {
    /** From 1. */
    readonly page: number
    readonly pageSize: number
    /** Counted to 10,000 at most: page numbers reach no further. */
    readonly totalItems: number
    readonly totalPages: number
  }
}

/** What every cursor list takes besides its filters. */
export interface PageParams {
  readonly limit?: number
  readonly after?: string
  readonly before?: string
}

/**
 * A list: await it for one page, or iterate over all its items. Nothing is sent before that, and each iteration starts
 * at the first page anew. With `before` it walks backwards.
 */
export class List<T> extends Call<Page<T>> implements AsyncIterable<T> {
  readonly #load: (params: PageParams) => Promise<Answer<Page<T>>>
  readonly #params: PageParams
  readonly #throwIfAborted: () => void

  /** @internal */
  constructor(params: PageParams, load: (params: PageParams) => Promise<Answer<Page<T>>>, throwIfAborted: () => void) {
    super(() => load(params))
    this.#params = params
    this.#load = load
    this.#throwIfAborted = throwIfAborted
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const { data } of this.pages())
      for (const item of data) {
        this.#throwIfAborted()
        yield item
      }
  }

  /** One page after the other, each requested when it is asked for. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    yield* this.#walk(this.#params)
  }

  /** At most `limit` items; `Infinity` for all, however many these are. */
  async toArray({ limit }: { readonly limit: number }): Promise<T[]> {
    const items: T[] = []
    if (limit <= 0) return items
    for await (const { data } of this.#walk({ limit: Math.min(limit, 100), ...this.#params })) {
      items.push(...data)
      if (items.length >= limit) break
    }
    return items.slice(0, limit)
  }

  async *#walk(params: PageParams): AsyncGenerator<Page<T>, void, undefined> {
    const { after, before, ...rest } = params
    const isBackwards = before !== undefined
    let cursor = before ?? after
    do {
      const { data: page } = await this.#load({
        ...rest,
        ...(cursor && { [isBackwards ? 'before' : 'after']: cursor }),
      })
      yield page
      const { hasMore, nextCursor, previousCursor } = page.page
      cursor = (isBackwards ? previousCursor : hasMore && nextCursor) || undefined
    } while (cursor)
  }
}
