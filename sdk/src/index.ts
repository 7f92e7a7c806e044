export type { Auth, CookieAuth, TokenAuth } from './auth.ts'
export type { Answer, Call, CallOptions, IfMatch, NoParams, Result } from './call.ts'
export { type ClientSettings, Purser, type PurserOptions, type RawRequest } from './client.ts'
export {
  AbortError,
  ApiError,
  AuthenticationError,
  BadRequestError,
  type ClientErrorCode,
  ConflictError,
  ConnectionError,
  DecodeError,
  type ErrorDetails,
  GapError,
  type Issue,
  NotFoundError,
  PermissionError,
  PreconditionError,
  PurserError,
  RateLimitError,
  ServerError,
  TimeoutError,
  ValidationError,
} from './errors.ts'
export type { ErrorCode } from './generated/errors.ts'
export type * from './generated/events.ts'
export type * from './generated/resources/index.ts'
export type * from './generated/types.ts'
export type { List, Page, PageParams, TablePage } from './page.ts'
export type { ConnectionChange, EventStream, StreamOptions, UnknownEvent } from './stream.ts'
export type { Query } from './url.ts'
