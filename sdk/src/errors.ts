import type { ErrorCode } from './generated/errors.ts'
import type { Problem } from './generated/types.ts'

/** Shared by every copy of this package in a program, so that `is` works across duplicates. */
const brand = Symbol.for('@purser/sdk/error')

/** Codes of errors that no answer of the API carries. */
export type ClientErrorCode =
  | 'ABORTED'
  | 'CONNECTION_FAILED'
  | 'DECODE_FAILED'
  | 'INVALID_CONFIGURATION'
  | 'INVALID_REQUEST'
  | 'REDIRECT_REFUSED'
  | 'TIMED_OUT'
  | 'TOKEN_FAILED'
  | 'WEBHOOK_REFUSED'

/** One refused field: `pointer` is a JSON pointer (RFC 6901) into what was sent. */
export type Issue = NonNullable<Problem['errors']>[number]

/** What is known about a failed call. */
export interface ErrorDetails {
  /** A code of the API, of this package, `HTTP_<status>` for an answer without one, or one that is newer than this package. */
  readonly code: ErrorCode | ClientErrorCode | (string & {})
  /** Of the last answer; undefined when there was none. */
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  /** The operation's id, `orders.place`, or method and path of a `request()`. */
  readonly operation?: string | undefined
  /** Requests sent for this call. */
  readonly attempts?: number | undefined
  /** The key sent with every attempt; repeat the call with it where the outcome is unknown. */
  readonly idempotencyKey?: string | undefined
  /** How long the service asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** The fields that were refused; none for most errors. */
  readonly issues?: readonly Issue[] | undefined
  /** The page that explains the problem. */
  readonly docUrl?: string | undefined
  readonly reason?: string | undefined
  readonly cause?: unknown
}

/**
 * Everything this package throws. The message names operation, status, code and request id, and never holds a header,
 * a key or a body.
 */
export class PurserError extends Error {
  static readonly kind: string = 'PurserError'
  declare readonly code: ErrorDetails['code']
  declare readonly status: number | undefined
  declare readonly requestId: string | undefined
  declare readonly operation: string | undefined
  declare readonly attempts: number | undefined
  declare readonly idempotencyKey: string | undefined
  declare readonly retryAfterMs: number | undefined
  declare readonly issues: readonly Issue[]
  declare readonly docUrl: string | undefined

  constructor({ reason, cause, ...details }: ErrorDetails) {
    const { operation = 'Purser', status, code, requestId } = details
    const parts = [`${operation}:`, status, code, reason, requestId && `(${requestId})`]
    super(parts.filter(Boolean).join(' '), { cause })
    Object.assign(this, { issues: [] }, details)
  }

  /** The class's name, unchanged by minifiers. */
  override get name(): string {
    return (this.constructor as typeof PurserError).kind
  }

  /**
   * The kinds of this error, most specific first.
   * @internal
   */
  get [brand](): readonly string[] {
    const kinds: string[] = []
    for (let type = this.constructor as typeof PurserError; type.kind; type = Object.getPrototypeOf(type))
      kinds.push(type.kind)
    return kinds
  }

  /**
   * Whether a caught value is an error of this class, even one thrown by another copy of this package, with one of the
   * codes if any are given: `ApiError.is(error, 'OUT_OF_STOCK')`.
   */
  static is<E extends PurserError>(this: { readonly prototype: E; readonly kind: string }, error: unknown): error is E
  static is<E extends PurserError, C extends ErrorCode | ClientErrorCode>(
    this: { readonly prototype: E; readonly kind: string },
    error: unknown,
    ...codes: readonly C[]
  ): error is E & { readonly code: C }
  static is(this: { readonly kind: string }, error: unknown, ...codes: readonly string[]): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked, which may be a subclass
    const { kind } = this
    const candidate = error as Partial<PurserError> | null | undefined
    return candidate?.[brand]?.includes(kind) === true && (codes.length === 0 || codes.includes(candidate.code ?? ''))
  }
}

/** The API answered with a problem (RFC 9457), or something before it answered with an error status. */
export class ApiError extends PurserError {
  static override readonly kind: string = 'ApiError'
  declare readonly status: number
  /** The answer's whole body. Not enumerable, since it may quote what was sent and logs should not. */
  declare readonly problem: Problem | undefined

  constructor(details: ErrorDetails & { readonly problem?: Problem | undefined }) {
    const { problem, ...rest } = details
    super(rest)
    Object.defineProperty(this, 'problem', { value: problem })
  }
}

/** 400: the request cannot be read. */
export class BadRequestError extends ApiError {
  static override readonly kind = 'BadRequestError'
}
/** 401: no credential, or one that does not hold. */
export class AuthenticationError extends ApiError {
  static override readonly kind = 'AuthenticationError'
}
/** 403: the credential does not allow it. */
export class PermissionError extends ApiError {
  static override readonly kind = 'PermissionError'
}
/** 404: absent, or another organization's. */
export class NotFoundError extends ApiError {
  static override readonly kind = 'NotFoundError'
}
/** 409: the state does not allow it. */
export class ConflictError extends ApiError {
  static override readonly kind = 'ConflictError'
}
/** 410: events after the position are no longer kept. */
export class GapError extends ApiError {
  static override readonly kind = 'GapError'

  /** The oldest position that can still be read from. */
  get oldestPosition(): number {
    return Number(this.issues[0]?.suggestion)
  }
}
/** 412 or 428: `ifMatch` is stale or missing. */
export class PreconditionError extends ApiError {
  static override readonly kind = 'PreconditionError'
}
/** 422: readable but wrong; see `issues`. */
export class ValidationError extends ApiError {
  static override readonly kind = 'ValidationError'
}
/** 429: too many calls; see `retryAfterMs`. */
export class RateLimitError extends ApiError {
  static override readonly kind = 'RateLimitError'
}
/** 5xx: a defect or an overload. With an `idempotencyKey` the call can be repeated safely. */
export class ServerError extends ApiError {
  static override readonly kind = 'ServerError'
}
/** No answer: the request may or may not have arrived. `cause` is the run time's own error. */
export class ConnectionError extends PurserError {
  static override readonly kind = 'ConnectionError'
}
/** No whole answer within `timeoutMs`: the outcome is unknown. */
export class TimeoutError extends PurserError {
  static override readonly kind = 'TimeoutError'
}
/** The caller's signal was aborted; `cause` is its reason. */
export class AbortError extends PurserError {
  static override readonly kind = 'AbortError'
}
/** The API reported success with a body that is not what it promises; the call may have had its effect. */
export class DecodeError extends PurserError {
  static override readonly kind = 'DecodeError'
}

const classes: Readonly<Record<number, typeof ApiError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionError,
  404: NotFoundError,
  409: ConflictError,
  410: GapError,
  412: PreconditionError,
  422: ValidationError,
  428: PreconditionError,
  429: RateLimitError,
}

/** The typed error of an answer; `body` is its parsed JSON, or undefined for an answer of something else, a proxy's page. */
export function toApiError(status: number, body: unknown, details: Omit<ErrorDetails, 'code' | 'status'>): ApiError {
  const problem = (body as Problem | undefined)?.error?.code === undefined ? undefined : (body as Problem)
  const Class = classes[status] ?? (status < 500 ? ApiError : ServerError)
  const docUrl = /^https?:/.test(problem?.type ?? '') ? problem?.type : undefined
  const issues = problem?.errors ?? []
  return new Class({ ...details, status, code: problem?.error.code ?? `HTTP_${status}`, issues, docUrl, problem })
}
