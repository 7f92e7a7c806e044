import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, defineProblem, type FieldIssue, type ProblemClass, problemSlug } from '#platform/problem.ts'

export const MalformedRequest = defineProblem({
  status: 400,
  code: 'MALFORMED_REQUEST',
  title: 'The request cannot be read',
})
export const InvalidCursor = defineProblem({
  status: 400,
  code: 'INVALID_CURSOR',
  title: 'The cursor does not belong to this list',
  advice: 'Take cursors from meta.page of the same list with the same filters; start again without one.',
})
export const IdempotencyKeyRequired = defineProblem({
  status: 400,
  code: 'IDEMPOTENCY_KEY_REQUIRED',
  title: 'This operation needs an Idempotency-Key header',
  advice: 'Send a fresh unique value (a UUID) with every new request and the same value when you retry it.',
})
export const Unauthorized = defineProblem({
  status: 401,
  code: 'UNAUTHORIZED',
  title: 'A valid API key is needed',
  advice: 'Send `Authorization: Bearer <API key>`. The key may be mistyped, expired or revoked.',
})
export const Forbidden = defineProblem({ status: 403, code: 'FORBIDDEN', title: 'The API key may not do this' })
export const HttpsRequired = defineProblem({
  status: 403,
  code: 'HTTPS_REQUIRED',
  title: 'This service is reached over https only',
  advice: 'The request came in over plain http. Rotate the API key that was sent with it.',
})
export const RouteNotFound = defineProblem({
  status: 404,
  code: 'ROUTE_NOT_FOUND',
  title: 'There is nothing at this address',
})
export const MethodNotAllowed = defineProblem({
  status: 405,
  code: 'METHOD_NOT_ALLOWED',
  title: 'This address does not support the method',
  advice: 'The Allow header lists the methods it supports.',
})
export const NotAcceptable = defineProblem({
  status: 406,
  code: 'NOT_ACCEPTABLE',
  title: 'Answers are application/json only',
})
export const PayloadTooLarge = defineProblem({ status: 413, code: 'PAYLOAD_TOO_LARGE', title: 'The body is too large' })
export const UriTooLong = defineProblem({ status: 414, code: 'URI_TOO_LONG', title: 'The URL is longer than 8 KiB' })
export const UnsupportedMediaType = defineProblem({
  status: 415,
  code: 'UNSUPPORTED_MEDIA_TYPE',
  title: 'Bodies must be application/json in UTF-8',
})
export const ValidationFailed = defineProblem({
  status: 422,
  code: 'VALIDATION_FAILED',
  title: 'Some fields are not valid',
  advice:
    'Each entry of errors names a field, what is wrong with it and, where one is close, what may have been meant.',
})
export const RateLimited = defineProblem({
  status: 429,
  code: 'RATE_LIMITED',
  title: 'Too many requests',
  advice: 'Wait for the time in Retry-After. The ratelimit-* headers of every answer tell what is left.',
  retryable: true,
})
export const TooManyStreams = defineProblem({
  status: 429,
  code: 'TOO_MANY_STREAMS',
  title: 'Too many open streams',
  advice: 'Close streams that nobody reads, or read one stream for several purposes.',
  retryable: true,
})
export const HeaderTooLarge = defineProblem({
  status: 431,
  code: 'HEADERS_TOO_LARGE',
  title: 'The headers are too large',
})
export const InternalError = defineProblem({
  status: 500,
  code: 'INTERNAL_ERROR',
  title: 'Something went wrong on our side',
  advice: 'Report the requestId. Retry with the same Idempotency-Key.',
  retryable: true,
})
export const HandlerTimedOut = defineProblem({
  status: 503,
  code: 'HANDLER_TIMED_OUT',
  title: 'The request took too long',
  advice: 'It may still take effect. Send the same request with the same Idempotency-Key to learn the outcome.',
  retryable: true,
})
export const Draining = defineProblem({
  status: 503,
  code: 'DRAINING',
  title: 'This process is shutting down',
  retryable: true,
})

/** Errors Fastify throws by itself, by code. */
const fastifyProblems: Readonly<Record<string, ProblemClass>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: UnsupportedMediaType,
  FST_ERR_CTP_BODY_TOO_LARGE: PayloadTooLarge,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: MalformedRequest,
  FST_ERR_CTP_EMPTY_JSON_BODY: MalformedRequest,
  FST_ERR_CTP_EMPTY_TYPE: UnsupportedMediaType,
  FST_ERR_BAD_URL: MalformedRequest,
  FST_ERR_HANDLER_TIMEOUT: HandlerTimedOut,
}

/** Refusals of plugins (the static files of the docs), by status. */
const pluginProblems: Readonly<Record<number, ProblemClass>> = {
  400: MalformedRequest,
  403: RouteNotFound,
  404: RouteNotFound,
  412: MalformedRequest,
  416: MalformedRequest,
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const { code, statusCode = 500 } = error as FastifyError
  const Known = fastifyProblems[code] ?? pluginProblems[statusCode]
  return Known ? new Known({ cause: error }) : new InternalError({ cause: error })
}

/** Longest detail or message, and longest pointer of a field: answers repeat what was sent, but not all of it. */
export const maxDetailLength = 2_000
export const maxPointerLength = 1_000

const clip = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`

function clipIssue({ field, pointer, message, ...rest }: FieldIssue): FieldIssue {
  return {
    field: clip(field, maxPointerLength),
    pointer: clip(pointer, maxPointerLength),
    message: clip(message, maxDetailLength),
    ...rest,
  }
}

/** The RFC 9457 body of every error. */
export function problemBody(problem: AppError, baseUrl: string, instance: string, requestId: string) {
  const { definition, details } = problem
  const detail = clip(details.detail ?? definition.title, maxDetailLength)
  return {
    type: `${baseUrl}/problems/${problemSlug(definition)}`,
    title: definition.title,
    status: definition.status,
    detail,
    instance,
    success: false,
    error: { code: definition.code, message: detail },
    retryable: definition.retryable ?? false,
    errors: (details.errors ?? []).map(clipIssue),
    meta: { requestId },
  }
}

/** Answers every error that is thrown anywhere: a look-up, not a ladder. */
export function handleProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = logProblem(error, request)
  const { retryAfterSeconds, headers } = problem.details
  if (problem.definition.retryable && problem.isOperational) reply.header('retry-after', retryAfterSeconds ?? 1)
  if (headers) reply.headers(headers)
  const path = request.url.split('?', 1)[0] ?? '/'
  const body = problemBody(problem, request.server.kernel.baseUrl(), path, request.id)
  return reply.code(problem.statusCode).type('application/problem+json').send(JSON.stringify(body))
}

const quiet = new Set([404, 405, 406, 412, 413, 414, 415, 428, 429, 431])

/** Logs an error at the level it has as a problem. */
export function logProblem(error: unknown, request: FastifyRequest): AppError {
  const problem = asAppError(error)
  const fields = { 'error.code': problem.code }
  if (!problem.isOperational) request.log.error({ ...fields, err: error }, 'request failed')
  else if (quiet.has(problem.statusCode)) request.log.info(fields, problem.message)
  else if (problem.statusCode >= 500) request.log.warn({ ...fields, err: problem.details.cause }, problem.message)
  else request.log.warn(fields, problem.message)
  return problem
}
