import { type Auth, Credentials } from './auth.ts'
import type { Call, CallOptions } from './call.ts'
import { Resources } from './generated/resources/index.ts'
import { type Settings, Transport } from './transport.ts'
import { checkBaseUrl, checkPath, type Query } from './url.ts'

/** What a copy of a client may change. */
export interface ClientSettings {
  /** Longest time of one attempt, body included, in milliseconds; default 30,000. */
  readonly timeoutMs?: number | undefined
  /** Repetitions after a first attempt that failed; default 2. */
  readonly maxRetries?: number | undefined
  /** Longest `Retry-After` that is waited for, in milliseconds; default 60,000. Above it the error is thrown at once. */
  readonly maxRetryAfterMs?: number | undefined
  /** Headers of every call. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** Exactly one of `apiKey` and `auth` says who calls. */
export interface PurserOptions extends ClientSettings {
  /** Where the service is; default the page's own origin in a browser, else `http://127.0.0.1:3000`. */
  readonly baseUrl?: string | undefined
  /** A secret of your servers: `sk_live_…` or `sk_test_…`. Refused in a browser. */
  readonly apiKey?: string | undefined
  /** A session cookie, or tokens that your program obtains. */
  readonly auth?: Auth | undefined
}

/** A request for `Purser.request()`. */
export interface RawRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute and encoded: `/v1/orders`. */
  readonly path: string
  readonly query?: Query | undefined
  /** Sent as JSON. */
  readonly body?: unknown
}

/**
 * The client of a Purser service: one property per resource, one method per operation.
 * @throws PurserError `INVALID_CONFIGURATION` from the constructor.
 */
export class Purser extends Resources {
  readonly #transport: Transport

  constructor(options: PurserOptions) {
    const transport = options instanceof Transport ? options : toTransport(options)
    super(transport)
    this.#transport = transport
  }

  /**
   * A client from `PURSER_API_KEY` and `PURSER_URL` (or `PURSER_BASE_URL`), the only place where this library reads the
   * environment.
   */
  static fromEnv(options: PurserOptions = {}): Purser {
    const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } }
    const { PURSER_API_KEY: apiKey, PURSER_URL, PURSER_BASE_URL } = process?.env ?? {}
    return new Purser({ ...(options.auth ? {} : { apiKey }), baseUrl: PURSER_URL || PURSER_BASE_URL, ...options })
  }

  /** A copy with other settings that shares token and rate-limit pauses with this client. */
  withOptions(settings: ClientSettings): Purser {
    const { baseUrl, headers, ...rest } = this.#transport.settings
    const merged = { ...rest, ...defined(settings), headers: { ...headers, ...settings.headers }, baseUrl }
    const transport: object = new Transport(merged, this.#transport.credentials)
    return new Purser(transport)
  }

  /**
   * The way to an operation that this version has no method for: the same credentials, key, retries and errors. The
   * success envelope is unwrapped, other JSON is returned as it is.
   */
  request<T = unknown>(request: RawRequest, options?: CallOptions): Call<T> {
    const operation = `${request.method} ${request.path}`
    return this.#transport.start(async () => {
      checkPath(operation, request.path)
      return this.#transport.send<T>({ ...request, operation, shape: 'any' }, options)
    })
  }
}

function toTransport(options: PurserOptions): Transport {
  const { apiKey, auth, baseUrl, ...settings } = options
  const credentials = new Credentials(apiKey, auth)
  const merged: Settings = {
    baseUrl: checkBaseUrl(baseUrl ?? defaultBaseUrl()),
    timeoutMs: 30_000,
    maxRetries: 2,
    maxRetryAfterMs: 60_000,
    headers: {},
    fetch: undefined,
    ...defined(settings),
  }
  return new Transport(merged, credentials)
}

function defaultBaseUrl(): string {
  const { location } = globalThis as { location?: { readonly origin: string } }
  return location?.origin ?? 'http://127.0.0.1:3000'
}

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
