import { PurserError } from './errors.ts'

/** The browser's own session cookie, for a page that the service's CORS settings allow. */
export interface CookieAuth {
  readonly type: 'cookie'
}

/** A bearer token that your program obtains. */
export interface TokenAuth {
  readonly type: 'token'
  /**
   * Brings an access token. With `refresh: true` the last one was refused or expires within 60 s: bring a new one.
   * Called once at a time, however many calls wait for it.
   */
  readonly getToken: (request: { readonly refresh: boolean }) => string | Promise<string>
}

export type Auth = CookieAuth | TokenAuth

interface Token {
  readonly value: string
  /** Milliseconds since the epoch from which on it is replaced before use. */
  readonly staleAt: number
}

const refreshAheadMs = 60_000

/** What a client proves itself with, and what it shares with its copies: the token, and the pauses that a 429 asked for. */
export class Credentials {
  /** Until when (`performance.now()`) calls to a limit wait, by limit. */
  readonly pauses = new Map<string, number>()
  readonly isCookie: boolean
  readonly isToken: boolean
  readonly #apiKey: string | undefined
  readonly #getToken: TokenAuth['getToken'] | undefined
  #token: Token | undefined
  #pending: Promise<string> | undefined

  constructor(apiKey: string | undefined, auth: Auth | undefined) {
    this.#apiKey = apiKey
    this.#getToken = auth?.type === 'token' ? auth.getToken : undefined
    this.isCookie = auth?.type === 'cookie'
    this.isToken = this.#getToken !== undefined
    if (!apiKey === !(this.isCookie || this.isToken)) throw misconfigured('give exactly one of apiKey and auth')
    if (apiKey && isBrowser()) throw misconfigured('an API key in a browser is an API key in public; use auth')
  }

  /** The bearer secret for one attempt; `refused` is the token that the last attempt was turned away with. */
  async bearer(refused?: string): Promise<string | undefined> {
    if (!this.#getToken) return this.#apiKey
    const token = this.#token
    if (token && token.value !== refused && Date.now() < token.staleAt) return token.value
    this.#pending ??= this.#renew(this.#getToken, token !== undefined).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #renew(getToken: TokenAuth['getToken'], refresh: boolean): Promise<string> {
    const value = await getToken({ refresh })
    this.#token = { value, staleAt: staleAt(value) }
    return value
  }
}

/** From the `exp` of a JWT (RFC 7519); an opaque token, or one that this clock sees as expired, is used until refused. */
function staleAt(token: string): number {
  try {
    const claims = JSON.parse(atob(token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/') ?? '')) as {
      exp: number
    }
    const time = claims.exp * 1_000 - refreshAheadMs
    return time > Date.now() ? time : Infinity
  } catch {
    return Infinity
  }
}

/** A page or a worker of a browser; server run times name themselves, or nothing, as their user agent. */
function isBrowser(): boolean {
  return 'document' in globalThis || /^Mozilla\//.test(globalThis.navigator?.userAgent ?? '')
}

function misconfigured(reason: string): PurserError {
  return new PurserError({ code: 'INVALID_CONFIGURATION', reason })
}
