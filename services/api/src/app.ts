import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { documentedWebhooks } from '#features/event-types/index.ts'
import { authenticateRequests, authorizeRequests } from '#http/authentication.ts'
import { protectBrowsers } from '#http/browser-policy.ts'
import { answerBrokenConnections } from '#http/client-errors.ts'
import { createCursors } from '#http/cursor.ts'
import { docsPrefix, serveDocs } from '#http/docs.ts'
import { limitHandling } from '#http/handling-limit.ts'
import { reportHealth } from '#http/health.ts'
import { requireIdempotencyKeys } from '#http/idempotency.ts'
import { acceptJsonBodies } from '#http/json-body.ts'
import { requireAccessDeclarations } from '#http/kernel.ts'
import { answerUndecodable, handleUnknownRoutes, refuseUnanswerable, requireHttps } from '#http/not-found.ts'
import { publishDocument } from '#http/openapi.ts'
import { servePages } from '#http/pages.ts'
import { handleProblems } from '#http/problems.ts'
import { refuseImproperHttp } from '#http/protocol.ts'
import { limitRates } from '#http/rate-limit.ts'
import { requestIdOf, requestLogger, traceRequests } from '#http/trace.ts'
import { validateStrictly } from '#http/validation.ts'
import { type Config, trustedProxies } from '#platform/config.ts'
import { readinessChecks } from '#platform/readiness.ts'
import { addRoutes } from './routes.ts'
import type { Runtime } from './runtime.ts'

export interface App {
  readonly http: FastifyInstance
  /** From now on readiness fails and answers close their connection. */
  drain(): void
}

/** The HTTP service: what every request passes, in this order, then every feature's routes. */
export async function buildApp(runtime: Runtime): Promise<App> {
  const { config } = runtime
  const http = createServer(runtime)
  let draining = false
  http.decorate('kernel', {
    config,
    alerts: runtime.alerts,
    unitOfWork: runtime.unitOfWork,
    cursors: createCursors(config.SIGNING_SECRET),
    authenticate: runtime.apiKeys.find,
    baseUrl: baseUrlOf(http, config),
    isDraining: () => draining,
  })
  requireAccessDeclarations(http, docsPrefix)
  handleUnknownRoutes(http)
  handleProblems(http)
  traceRequests(http)
  limitHandling(http)
  refuseImproperHttp(http)
  await protectBrowsers(http, config)
  await limitRates(http, () => authenticateRequests(http))
  requireHttps(http)
  refuseUnanswerable(http)
  authorizeRequests(http)
  requireIdempotencyKeys(http)
  acceptJsonBodies(http)
  validateStrictly(http)
  // Operations serialize their results themselves; compiling every documented answer again would double the start.
  http.setSerializerCompiler(() => JSON.stringify)
  await publishDocument(http, documentedWebhooks)
  reportHealth(http, readinessChecks(runtime))
  servePages(http)
  await serveDocs(http)
  addRoutes(http, runtime)
  return {
    http,
    drain: () => {
      draining = true
    },
  }
}

function createServer({ config, log }: Runtime): FastifyInstance {
  const proxies = trustedProxies(config)
  return Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    childLoggerFactory: (logger, bindings, _options, raw) => requestLogger(logger as typeof log, bindings, raw),
    trustProxy: proxies.length === 0 ? false : [...proxies],
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: config.HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: config.CONNECTION_CHECK_INTERVAL_MS,
      maxHeaderSize: 16_384,
      // Node would answer without a body; refuseImproperHttp looks for it.
      requireHostHeader: false,
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Schemas say how long a parameter may be; the router's own limit would answer without a problem.
    routerOptions: { maxParamLength: 8_192 },
    frameworkErrors: answerUndecodable,
    clientErrorHandler: answerBrokenConnections,
  }) as unknown as FastifyInstance
}

/** Once it listens, the address stays what it is. */
function baseUrlOf(http: FastifyInstance, config: Config): () => string {
  let known = config.PUBLIC_URL.replace(/\/$/, '')
  return () => {
    if (known === '' && http.server.listening) known = listeningAddress(http, config)
    return known || listeningAddress(http, config)
  }
}

function listeningAddress(http: FastifyInstance, config: Config): string {
  const address = http.server.address() as AddressInfo | null
  const host = config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST
  return `http://${host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${address?.port ?? config.PORT}`
}
