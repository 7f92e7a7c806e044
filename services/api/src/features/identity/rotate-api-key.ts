import type { Scope } from '#platform/scopes.ts'
import type { Work } from '#platform/work.ts'
import { apiKeyTag } from './api-key-lookup.ts'
import { issueApiKey, refuseForeignScopes, refuseForeignSources } from './create-api-key.ts'
import { presentApiKey } from './present.ts'
import { ApiKeyNotFound, ApiKeyRevoked } from './problems.ts'
import { lockApiKey, updateApiKey } from './repository.ts'
import type { NewApiKey, RotateApiKey } from './schemas.ts'

const defaultOverlapSeconds = 3_600

/** Issues a new secret for the same principal; the old one works until the overlap ends. */
export async function rotateApiKey(work: Work, apiKeyId: string, input: RotateApiKey): Promise<NewApiKey> {
  const old = await lockApiKey(work, apiKeyId)
  if (!old) throw new ApiKeyNotFound()
  if (old.revoked_at || (old.expires_at && old.expires_at <= work.now)) throw new ApiKeyRevoked()
  refuseForeignScopes(work, old.scopes as Scope[])
  refuseForeignSources(work, old.allowed_sources)
  const overlapEnd = new Date(work.now.getTime() + (input.overlapSeconds ?? defaultOverlapSeconds) * 1_000)
  const expiresAt = old.expires_at && old.expires_at < overlapEnd ? old.expires_at : overlapEnd
  const issued = await issueApiKey(work, {
    principal_id: old.principal_id,
    name: old.name,
    mode: old.mode === 'test' ? 'test' : 'live',
    scopes: old.scopes,
    rate_limit_per_minute: old.rate_limit_per_minute,
    allowed_cidrs: old.allowed_cidrs,
    allowed_sources: old.allowed_sources,
    expires_at: old.expires_at,
    metadata: JSON.stringify(old.metadata),
  })
  const version = old.version + 1
  const row = await updateApiKey(work, old.id, { expires_at: expiresAt, version, updated_at: work.now })
  const resource = { type: 'apiKey', id: old.id, version }
  work.record({ type: 'apiKey.rotated', resource, changed: ['expiresAt'], data: presentApiKey(row, work.now) })
  work.invalidate(apiKeyTag(old.id))
  return issued
}
