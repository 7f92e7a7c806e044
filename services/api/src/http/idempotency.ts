import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { canonicalJson } from '#platform/canonical-json.ts'
import type { Claim } from '#platform/idempotency.ts'
import { IdempotencyKeyRequired, MalformedRequest } from './problems.ts'

const bareKey = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/
const structuredString = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/

/**
 * The Idempotency-Key of a request: bare, or a structured-field string (RFC 9651, section 3.3.3).
 * @throws MalformedRequest when it is not 1–255 printable ASCII characters.
 */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  const given = Array.isArray(header) ? header.join(', ') : header
  const quoted = structuredString.exec(given)?.[1]?.replace(/\\(["\\])/g, '$1')
  const key = quoted ?? given
  const isBroken = quoted === undefined && given.startsWith('"')
  if (isBroken || key.length > 255 || !bareKey.test(key))
    throw new MalformedRequest({ detail: 'Idempotency-Key must be 1 to 255 printable ASCII characters' })
  return key
}

/** Refuses a request without the key its route requires, before the body is read. */
export function requireIdempotencyKeys(app: FastifyInstance): void {
  app.addHook('preParsing', async (request) => {
    const { idempotency } = request.routeOptions.config
    if (idempotency === undefined || idempotency === 'none') return
    if (idempotencyKeyOf(request) === null && idempotency === 'required') throw new IdempotencyKeyRequired()
  })
}

/** The claim of a keyed request: method, route, path, query and body, in canonical form (RFC 8785). */
export function claimOf(request: FastifyRequest, key: string): Claim {
  const { method, params, query, body } = request
  const canonical = canonicalJson([method, request.routeOptions.url, params, query, body ?? null])
  return { key, fingerprint: hash('sha256', canonical, 'base64url') }
}
