import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { ExpectedVersion } from '#platform/version.ts'
import { MalformedRequest } from './problems.ts'

const entityTag = /^(?:W\/)?"(\d{1,15})(?:\.[0-9a-f]+)?"$/

/** The versions If-Match accepts. `"7"` and `"7.3fa9c1"` both mean version 7; `*` means any. */
export function expectedVersionOf(request: FastifyRequest, required: boolean): ExpectedVersion {
  const header = request.headers['if-match']
  if (header === undefined) return { versions: null, required }
  if (header.trim() === '*') return { versions: 'any', required }
  const versions = header.split(',').map((tag) => {
    const match = entityTag.exec(tag.trim())
    if (!match) throw new MalformedRequest({ detail: 'If-Match must hold entity tags such as "7" or "7.3fa9c1"' })
    return Number(match[1])
  })
  return { versions, required }
}

/** `"7.3fa9c1"`: the version and a hash of this very representation. Null for what has no version. */
export function entityTagOf(result: unknown, data: string): string | null {
  if (typeof result !== 'object' || result === null || !('version' in result)) return null
  return `"${String(result.version)}.${hash('sha1', data, 'hex').slice(0, 6)}"`
}

/** For reads of what has no version of its own: a hash alone. */
export const representationTagOf = (data: string): string => `"${hash('sha1', data, 'hex')}"`

/** Whether If-None-Match names this representation (weak comparison, RFC 9110 section 13.1.2). */
export function isNotModified(request: FastifyRequest, etag: string | null): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined || etag === null) return false
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
