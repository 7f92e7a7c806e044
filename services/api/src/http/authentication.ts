import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from '#platform/logger.ts'
import type { AppError } from '#platform/problem.ts'
import { Forbidden, Unauthorized } from './problems.ts'

/** The presented API key: `Authorization: Bearer …`, null without that header. */
export function presentedKey(request: FastifyRequest): string | null {
  const header = request.headers.authorization
  if (header === undefined) return null
  const match = /^Bearer +(\S{1,512}) *$/i.exec(header)
  if (!match?.[1]) throw unauthorized('The Authorization header is not of the form: Bearer <API key>')
  return match[1]
}

const unauthorized = (detail: string): AppError =>
  new Unauthorized({ detail, headers: { 'www-authenticate': 'Bearer realm="purser"' } })

/** Sets `request.credential`; a credential that is presented must be valid, even on public routes. */
export function authenticateRequests(app: FastifyInstance): void {
  app.decorateRequest('credential', null)
  app.addHook('onRequest', async (request) => {
    const presented = presentedKey(request)
    const access = request.routeOptions.config.access
    if (presented === null) {
      if (access === undefined || 'public' in access) return
      throw unauthorized('No API key was sent')
    }
    request.credential = await app.kernel.authenticate(presented, request.ip)
    if (!request.credential)
      throw unauthorized('The API key is unknown, expired, revoked or not allowed from this address')
    const log = request.log as Logger
    log.setBindings({ organizationId: request.credential.actor.organizationId })
  })
}

/** Checks the scope a route asks for, before its body is read. */
export function authorizeRequests(app: FastifyInstance): void {
  app.addHook('preParsing', async (request) => {
    const access = request.routeOptions.config.access
    if (access === undefined || !('scope' in access)) return
    if (!request.credential?.actor.scopes.has(access.scope))
      throw new Forbidden({ detail: `The API key lacks the scope ${access.scope}` })
  })
}
