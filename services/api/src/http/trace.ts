import type { FastifyInstance, FastifyRequest, RawRequestDefaultExpression } from 'fastify'
import { newId } from '#platform/id.ts'
import type { Logger } from '#platform/logger.ts'
import { drawRandom } from '#platform/random.ts'
import type { Origin } from '#platform/work.ts'
import { Unauthorized } from './problems.ts'

/** W3C Trace Context of a request: the caller's trace, a span of our own. */
export interface Trace {
  readonly traceId: string
  readonly spanId: string
  readonly flags: string
}

const requestIdPattern = /^[A-Za-z0-9_-]{1,128}$/
const traceparentPattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

/** The caller's X-Request-Id when it is well formed, else a new one. */
export function requestIdOf(raw: RawRequestDefaultExpression): string {
  const given = raw.headers['x-request-id']
  return typeof given === 'string' && requestIdPattern.test(given) ? given : newId('req')
}

const traces = new WeakMap<RawRequestDefaultExpression, Trace>()

function traceOf(raw: RawRequestDefaultExpression): Trace {
  const known = traces.get(raw)
  if (known) return known
  const header = raw.headers.traceparent
  const match = typeof header === 'string' ? traceparentPattern.exec(header) : null
  const random = drawRandom(24).toString('hex')
  const trace = { traceId: match?.[1] ?? random.slice(16), spanId: random.slice(0, 16), flags: match?.[2] ?? '01' }
  traces.set(raw, trace)
  return trace
}

/** The logger of one request: every line carries its ids. */
export function requestLogger(logger: Logger, bindings: object, raw: RawRequestDefaultExpression): Logger {
  const { traceId, spanId } = traceOf(raw)
  return logger.child({ ...bindings, traceId, spanId })
}

/** Marks every request and answer with its ids, and writes one line per answer. */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('trace')
  app.addHook('onRequest', async (request, reply) => {
    request.trace = traceOf(request.raw)
    reply.header('x-request-id', request.id)
    reply.header('vary', 'Authorization')
    request.log.debug({ 'http.request.method': request.method, 'url.path': pathOf(request) }, 'request')
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (app.kernel.isDraining()) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', async (request, reply) => {
    const fields = {
      'http.request.method': request.method,
      'http.route': request.routeOptions.url ?? null,
      'url.path': pathOf(request),
      'http.response.status_code': reply.statusCode,
      'client.address': request.ip,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
    }
    request.log.info(fields, 'response')
  })
}

/** What the work of this request is marked with. */
export function originOf(request: FastifyRequest): Origin {
  if (!request.credential) throw new Unauthorized()
  const { traceId, spanId, flags } = request.trace
  return {
    actor: request.credential.actor,
    requestId: request.id,
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    log: request.log as Logger,
    signal: request.unwanted,
  }
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/'
