import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { canonicalJson } from '#platform/canonical-json.ts'
import type { PagePosition } from '#platform/page.ts'
import { InvalidCursor } from './problems.ts'

/** Opaque cursors, signed and bound to one list, one filter and one tenant. */
export interface Cursors {
  encode(position: PagePosition, binding: string): string
  /** @throws InvalidCursor when it was changed, or taken from another list, filter or tenant. */
  decode(cursor: string, binding: string): PagePosition
}

const macLength = 16

export function createCursors(secret: string): Cursors {
  const key = createSecretKey(secret, 'utf8')
  const sign = (payload: string, binding: string): Buffer =>
    createHmac('sha256', key).update(`${binding}\n${payload}`).digest().subarray(0, macLength)
  return {
    encode(position, binding) {
      const payload = JSON.stringify(position)
      return Buffer.concat([sign(payload, binding), Buffer.from(payload)]).toString('base64url')
    },
    decode(cursor, binding) {
      const bytes = Buffer.from(cursor, 'base64url')
      const payload = bytes.subarray(macLength).toString()
      const mac = bytes.subarray(0, macLength)
      if (mac.length !== macLength || !timingSafeEqual(mac, sign(payload, binding))) throw new InvalidCursor()
      return JSON.parse(payload) as PagePosition
    },
  }
}

/** What a cursor is bound to: the operation, the tenant, the path and every query parameter but the page's own. */
export function cursorBinding(request: FastifyRequest, operation: string, organizationId: string): string {
  const {
    limit: _limit,
    after: _after,
    before: _before,
    ...filter
  } = request.query as Readonly<Record<string, unknown>>
  return `${operation} ${organizationId} ${canonicalJson([request.params, filter])}`
}
