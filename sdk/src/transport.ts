import type { Credentials } from './auth.ts'
import { type Answer, Call, type CallOptions } from './call.ts'
import { AbortError, ConnectionError, DecodeError, PurserError, TimeoutError } from './errors.ts'
import { type Exchange, isRepeatable, keyOf, readAnswer, toEntityTag, toExchange } from './exchange.ts'
import { List, type Page, type PageParams, type TablePage } from './page.ts'
import { delayBefore, isTransient, sleep, within } from './retry.ts'
import { EventStream, type StreamOptions } from './stream.ts'
import { toQueryString } from './url.ts'

/** How a client calls: its options with their defaults filled in. */
export interface Settings {
  readonly baseUrl: string
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly maxRetryAfterMs: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly fetch: typeof globalThis.fetch | undefined
}

/** A logical call under way. */
interface Attempts {
  readonly exchange: Exchange
  readonly options: CallOptions
  readonly url: string
  readonly init: RequestInit
  /** What each of its errors carries. */
  readonly context: { readonly operation: string; readonly idempotencyKey: string | undefined; attempts: number }
  /** What the last attempt proved itself with. */
  bearer?: string | undefined
  /** The token that was turned away, once one was. */
  refused?: string | undefined
}

/** Sends calls: credentials, keys, time-outs, retries and pauses, and the way from an answer to data or a typed error. */
export class Transport {
  readonly settings: Settings
  readonly credentials: Credentials

  constructor(settings: Settings, credentials: Credentials) {
    this.settings = settings
    this.credentials = credentials
  }

  /** An operation of the generated resources, by its descriptor. It runs at once, awaited or not. */
  call<T>(descriptor: string, params: unknown, options?: CallOptions, ...ids: readonly unknown[]): Call<T> {
    return this.start(async () => this.send<T>(toExchange('data', descriptor, params, ids), options))
  }

  /** A cursor list; nothing is sent until it is awaited or iterated. */
  list<T>(descriptor: string, params: object = {}, options: CallOptions = {}, ...ids: readonly unknown[]): List<T> {
    const load = async (pageParams: PageParams) =>
      this.send<Page<T>>(toExchange('page', descriptor, pageParams, ids), options)
    return new List(params, load, () => {
      if (options.signal?.aborted) throw aborted({ operation: descriptor.replace(/ .*/, '') }, options.signal)
    })
  }

  /** One page of a table, by its number. */
  table<T>(descriptor: string, params: unknown, options?: CallOptions, ...ids: readonly unknown[]): Call<TablePage<T>> {
    return this.start(async () => this.send<TablePage<T>>(toExchange('page', descriptor, params, ids), options))
  }

  /** A stream of server-sent events; nothing is sent until it is iterated. */
  stream<T>(descriptor: string, params?: object, options: StreamOptions = {}): EventStream<T> {
    const { after, signal, idleTimeoutMs = 45_000, onConnection, ...rest } = options
    const exchange = toExchange('stream', descriptor, params, [])
    const { operation } = exchange
    const onAbort = () => aborted({ operation }, signal)
    const onTimeout = () => new TimeoutError({ operation, code: 'TIMED_OUT', reason: `${idleTimeoutMs} ms of silence` })
    let [wasOpen, isLost] = [false, false]
    let from = after
    return new EventStream<T>(after, {
      connect: async (position) => {
        from = position
        const headers = { ...rest.headers, accept: 'text/event-stream', 'last-event-id': position?.toString() }
        const { response } = await this.send(exchange, { ...rest, signal, headers })
        wasOpen = true
        return response
      },
      read: async (reader) => {
        const { value } = await within(() => reader.read(), { ms: idleTimeoutMs, signal, onTimeout, onAbort })
        if (value && isLost) onConnection?.({ isOpen: true, position: from })
        if (value) isLost = false
        return value
      },
      pause: async (error, failures, retryMs) => {
        if (signal?.aborted) throw onAbort()
        // Whatever else breaks is the connection, which has been open.
        if (error instanceof PurserError && !(wasOpen && isTransient(error))) throw error
        if (!isLost) onConnection?.({ isOpen: false, error })
        isLost = true
        const asked = (error as PurserError | undefined)?.retryAfterMs
        await sleep(failures > 1 ? delayBefore(failures, asked) : (retryMs ?? delayBefore(0, asked)), signal, onAbort)
      },
      decode: (data) => {
        try {
          return JSON.parse(data)
        } catch (cause) {
          throw new DecodeError({ operation, code: 'DECODE_FAILED', cause })
        }
      },
    })
  }

  start<T>(run: () => Promise<Answer<T>>): Call<T> {
    const call = new Call(run)
    call.withResponse()
    return call
  }

  /** Attempts until an answer counts; throws the typed error of the last attempt. */
  async send<T>(exchange: Exchange, options: CallOptions = {}): Promise<Answer<T>> {
    const { credentials, settings } = this
    const { maxRetries = settings.maxRetries } = options
    const call = this.#prepare(exchange, options)
    const mayRepeat = isRepeatable(exchange, call.context.idempotencyKey)
    // The limit of a credential covers all its calls; an operation without credential has its own, by address.
    const limit = exchange.isPublic ? exchange.operation : ''
    for (let retries = 0, wakeAt = 0; ; retries++) {
      await this.#pauseUntil(Math.max(wakeAt, credentials.pauses.get(limit) ?? 0), call)
      try {
        return (await this.#attempt(call)) as Answer<T>
      } catch (error) {
        if (!(error instanceof PurserError)) throw error
        const asked = error.retryAfterMs
        const isTooLong = asked !== undefined && asked > settings.maxRetryAfterMs
        if (error.status === 401 && credentials.isToken && call.bearer && !call.refused) {
          call.refused = call.bearer
          retries--
          continue
        }
        wakeAt = performance.now() + delayBefore(retries, asked)
        const isPause = error.status === 429 && !isTooLong
        if (isPause) credentials.pauses.set(limit, Math.max(wakeAt, credentials.pauses.get(limit) ?? 0))
        if (isTooLong || !mayRepeat || retries >= maxRetries || !isTransient(error)) throw error
      }
    }
  }

  /** Everything but the credential, so that nothing of it changes from one attempt to the next. */
  #prepare(exchange: Exchange, options: CallOptions): Attempts {
    const { operation, method, path, query, body } = exchange
    const { ifMatch, ifNoneMatch } = options
    const idempotencyKey = keyOf(exchange, options)
    const values = {
      accept: 'application/json',
      'content-type': body === undefined ? undefined : 'application/json',
      'idempotency-key': idempotencyKey,
      'if-match': ifMatch === undefined ? undefined : toEntityTag(ifMatch),
      'if-none-match': ifNoneMatch,
      ...this.settings.headers,
      ...options.headers,
    }
    const url = this.settings.baseUrl + path + toQueryString(query ?? {})
    const context = { operation, idempotencyKey, attempts: 0 }
    try {
      const headers = new Headers()
      for (const [name, value] of Object.entries(values)) if (value !== undefined) headers.set(name, value)
      // A credential is never carried to where a redirect points. Cloudflare Workers have no `redirect: 'error'`.
      const init: RequestInit = { method, headers, redirect: 'manual' }
      if (body !== undefined) init.body = JSON.stringify(body)
      if (this.credentials.isCookie) init.credentials = 'include'
      return { exchange, options, url, init, context }
    } catch {
      // Without a cause: the run time's own message quotes the header.
      throw new PurserError({ ...context, code: 'INVALID_REQUEST', reason: 'a header or the body cannot be sent' })
    }
  }

  async #attempt(call: Attempts): Promise<Answer<unknown>> {
    const { context, exchange, options } = call
    const { signal, timeoutMs = this.settings.timeoutMs } = options
    const { response, text } = await within((attemptSignal) => this.#fetch(call, attemptSignal), {
      ms: timeoutMs,
      signal,
      onTimeout: () => new TimeoutError({ ...context, code: 'TIMED_OUT', reason: `after ${timeoutMs} ms` }),
      onAbort: () => aborted(context, signal),
    })
    return { ...readAnswer(exchange, response, text, context), response, attempts: context.attempts }
  }

  async #fetch(call: Attempts, signal: AbortSignal): Promise<{ response: Response; text: string }> {
    const { context, init } = call
    const headers = new Headers(init.headers)
    if (!call.exchange.isPublic) {
      call.bearer = await this.credentials.bearer(call.refused).catch((cause: unknown) => {
        throw new PurserError({ ...context, code: 'TOKEN_FAILED', cause })
      })
      if (call.bearer && !headers.has('authorization')) headers.set('authorization', `Bearer ${call.bearer}`)
    }
    context.attempts++
    try {
      const response = await (this.settings.fetch ?? fetch)(call.url, { ...init, headers, signal })
      const isOpen = call.exchange.shape === 'stream' && response.ok
      return { response, text: isOpen ? '' : await response.text() }
    } catch (cause) {
      throw new ConnectionError({ ...context, code: 'CONNECTION_FAILED', cause })
    }
  }

  async #pauseUntil(time: number, { context, options: { signal } }: Attempts): Promise<void> {
    if (signal?.aborted) throw aborted(context, signal)
    const ms = time - performance.now()
    if (ms > 0) await sleep(ms, signal, () => aborted(context, signal))
  }
}

/** What the generated classes extend. */
export class Resource {
  protected readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }
}

function aborted(context: Partial<Attempts['context']>, signal: AbortSignal | undefined): AbortError {
  return new AbortError({ ...context, code: 'ABORTED', cause: signal?.reason })
}
