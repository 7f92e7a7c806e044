import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import findMyWay from 'find-my-way'
import type { AppError } from '#platform/problem.ts'
import {
  HttpsRequired,
  MalformedRequest,
  MethodNotAllowed,
  NotAcceptable,
  RouteNotFound,
  sendProblem,
  UriTooLong,
} from './problems.ts'

const maxUrlLength = 8_192

/** Tells a wrong method (405 with Allow) from a wrong address (404), which Fastify does not. */
export function handleUnknownRoutes(app: FastifyInstance): void {
  const routes = findMyWay()
  const methods = new Set<HTTPMethods>()
  app.addHook('onRoute', ({ method, url }) => {
    // The preflight route matches every address and says nothing about one.
    if (method === 'OPTIONS' && url === '*') return
    for (const name of [method].flat() as HTTPMethods[]) {
      methods.add(name)
      if (!routes.hasRoute(name as findMyWay.HTTPMethod, url)) routes.on(name as findMyWay.HTTPMethod, url, () => {})
    }
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/'
    const allowed = [...methods].filter((name) => routes.find(name as findMyWay.HTTPMethod, path) !== null).sort()
    const problem: AppError =
      // A wildcard route may find nothing at an address whose method is right.
      allowed.length === 0 || allowed.includes(request.method as HTTPMethods)
        ? new RouteNotFound({ detail: `There is nothing at ${request.method} ${path}` })
        : new MethodNotAllowed({ headers: { allow: allowed.join(', ') } })
    return sendProblem(problem, request, reply)
  })
}

/** Answers an address that cannot be decoded: it reaches neither a route nor a hook. */
export function answerUndecodable(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id)
  sendProblem(error, request, reply)
}

/** Refuses what no route could answer: over-long URLs and clients that cannot read what it answers. */
export function refuseUnanswerable(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    if (request.url.length > maxUrlLength) throw new UriTooLong()
    if (request.url.includes('%00')) throw new MalformedRequest({ detail: 'The URL contains NUL' })
    // The router decodes the path; the parser of the query leaves what it cannot decode as it is.
    if (!isDecodable(request.url)) throw new MalformedRequest({ detail: 'The query cannot be decoded' })
    const { access, answers = 'application/json' } = request.routeOptions.config
    if (access && !('public' in access) && !accepts(request.headers.accept, answers)) throw new NotAcceptable()
  })
}

/** In production behind a proxy, refuses what reached the proxy over plain http: its key was sent in the clear. */
export function requireHttps(app: FastifyInstance): void {
  const { NODE_ENV, TRUST_PROXY } = app.kernel.config
  if (NODE_ENV !== 'production' || TRUST_PROXY === '') return
  app.addHook('onRequest', async (request) => {
    const isHealth = request.routeOptions.config.rateLimit === false
    if (request.protocol !== 'https' && !isHealth) throw new HttpsRequired()
  })
}

function isDecodable(url: string): boolean {
  if (!url.includes('%')) return true
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}

function accepts(accept: string | undefined, answered: string): boolean {
  if (accept === undefined || accept.trim() === '') return true
  return accept.split(',').some((range) => {
    const [type, ...parameters] = range
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    const known = ['*/*', answered.replace(/\/.*/, '/*'), answered, 'application/json', 'application/problem+json']
    return !refused && known.includes(type ?? '')
  })
}
