import type { CallOptions } from './call.ts'
import { ConnectionError, DecodeError, type ErrorDetails, toApiError } from './errors.ts'
import { retryAfterMs } from './retry.ts'
import { fillPath, type Query } from './url.ts'

/** One logical call: what is the same on every attempt. */
export interface Exchange {
  /** The operation's id; for `request()` method and path. */
  readonly operation: string
  readonly method: string
  /** Below the base URL, filled and encoded. */
  readonly path: string
  readonly query?: Query | undefined
  readonly body?: unknown
  /** No credential is sent. */
  readonly isPublic?: boolean | undefined
  /** No idempotency key is sent: the operation only reads. */
  readonly isKeyless?: boolean | undefined
  /** What the success answer holds: data or a page in the envelope, JSON of any kind, or a body that is read as it comes. */
  readonly shape: 'data' | 'page' | 'any' | 'stream'
}

interface Envelope {
  readonly success?: boolean
  readonly data?: unknown
  readonly meta?: { readonly requestId?: string; readonly page?: unknown }
}

const safeMethods = ['GET', 'HEAD']
const queryMethods = ['GET', 'HEAD', 'DELETE']
const repeatableMethods = ['GET', 'HEAD', 'PUT', 'DELETE']

/** Reads a descriptor of the generated resources: `orders.cancel POST /v1/orders/{orderId}/cancel [public] [keyless]`. */
export function toExchange(
  shape: Exchange['shape'],
  descriptor: string,
  params: unknown,
  ids: readonly unknown[],
): Exchange {
  const [operation = '', method = '', template = '', ...flags] = descriptor.split(' ')
  return {
    operation,
    method,
    path: fillPath(operation, template, ids),
    [queryMethods.includes(method) ? 'query' : 'body']: params,
    isPublic: flags.includes('public'),
    isKeyless: flags.includes('keyless'),
    shape,
  }
}

/** The key of a call that takes one: the caller's, or 128 random bits (also where `crypto.randomUUID` is not: plain http). */
export function keyOf(exchange: Exchange, options: CallOptions): string | undefined {
  if (exchange.isKeyless || safeMethods.includes(exchange.method)) return undefined
  return options.idempotencyKey ?? crypto.getRandomValues(new Uint32Array(4)).join('-')
}

/** Whether a second attempt cannot have a second effect. */
export function isRepeatable(exchange: Exchange, idempotencyKey: string | undefined): boolean {
  return exchange.isKeyless === true || repeatableMethods.includes(exchange.method) || idempotencyKey !== undefined
}

/** An entity tag (RFC 9110 §8.8.3) from a version or a tag. */
export function toEntityTag(version: number | string): string {
  return /^(W\/)?"|^\*$/.test(String(version)) ? String(version) : `"${version}"`
}

/** The data of an answer; throws the typed error of any other answer. */
export function readAnswer(
  exchange: Exchange,
  response: Response,
  text: string,
  context: Omit<ErrorDetails, 'code'>,
): { readonly data: unknown; readonly requestId: string | undefined } {
  const { headers, status, type } = response
  const body = parse(text)
  const { success, data, meta } = (body ?? {}) as Envelope
  const requestId = headers.get('x-request-id') ?? meta?.requestId
  const details = { ...context, status, requestId }
  // Browsers hide a redirect's status; 304 is one of the answers to `ifNoneMatch`.
  if (type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304))
    throw new ConnectionError({ ...details, code: 'REDIRECT_REFUSED' })
  if (!response.ok) throw toApiError(status, body, { ...details, retryAfterMs: retryAfterMs(headers) })
  if (status === 204 || exchange.shape === 'stream') return { data: undefined, requestId }
  if (exchange.shape === 'any' && body !== undefined && success === undefined) return { data: body, requestId }
  if (success !== true || (exchange.shape === 'page' && !meta?.page))
    throw new DecodeError({ ...details, code: 'DECODE_FAILED' })
  return { data: exchange.shape === 'page' ? { data, page: meta?.page } : data, requestId }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
