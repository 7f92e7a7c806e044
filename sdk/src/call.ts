import { PurserError } from './errors.ts'

/** Options that every method takes last. */
export interface CallOptions {
  /** Aborting is final: it ends the request, the pause before a retry, and the walk over pages. */
  readonly signal?: AbortSignal | undefined
  /** Longest time of one attempt, body included, in milliseconds; default 30,000, `Infinity` for none. */
  readonly timeoutMs?: number | undefined
  /** Repetitions after a first attempt that failed; default 2. */
  readonly maxRetries?: number | undefined
  /** Names this call, 1–255 printable ASCII characters; default a random one. Only mutations send it. */
  readonly idempotencyKey?: string | undefined
  /** The version that you read (`order.version`) or an ETag; refused with `PreconditionError` if there is a newer one. */
  readonly ifMatch?: number | string | undefined
  /** An ETag; an unchanged resource answers 304, which is thrown as `ApiError` with the code `HTTP_304`. */
  readonly ifNoneMatch?: string | undefined
  /** Further headers; they win over those of the client. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
}

/** The options of an operation that cannot go without a version. */
export interface IfMatch {
  readonly ifMatch: number | string
}

/** Where an operation has no parameters (yet): `undefined` or `{}`. */
export type NoParams = Readonly<Record<string, never>>

/** A result with what surrounds it. */
export interface Answer<T> {
  readonly data: T
  /** To quote to support; also in the service's logs. */
  readonly requestId: string | undefined
  /** Status and headers; the body has been read. */
  readonly response: Response
  /** Requests sent for this call. */
  readonly attempts: number
}

/** A result that is not thrown. */
export type Result<T> = { readonly ok: true; readonly data: T } | { readonly ok: false; readonly error: PurserError }

/** A call under way: await it for the data. */
export class Call<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = 'Call'
  readonly #run: () => Promise<Answer<T>>
  #answer: Promise<Answer<T>> | undefined

  /** @internal */
  constructor(run: () => Promise<Answer<T>>) {
    this.#run = run
  }

  /** The data together with request id, HTTP response and number of attempts. */
  withResponse(): Promise<Answer<T>> {
    this.#answer ??= this.#run()
    return this.#answer
  }

  /** The data or the error as a value; only a defect of the program is still thrown. */
  safe(): Promise<Result<T>> {
    return this.then(
      (data) => ({ ok: true, data }),
      (error: unknown) => {
        if (!PurserError.is(error)) throw error
        return { ok: false, error }
      },
    )
  }

  // biome-ignore lint/suspicious/noThenProperty: a call is awaited like a promise
  then<R = T, E = never>(
    onData?: ((data: T) => R | PromiseLike<R>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.withResponse()
      .then((answer) => answer.data)
      .then(onData, onError)
  }

  catch<E = never>(onError?: ((error: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.then(undefined, onError)
  }

  finally(onSettled?: (() => void) | null): Promise<T> {
    return this.then().finally(onSettled)
  }
}
