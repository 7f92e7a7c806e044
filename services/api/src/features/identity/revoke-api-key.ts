import type { Work } from '#platform/work.ts'
import { apiKeyTag } from './api-key-lookup.ts'
import { presentApiKey } from './present.ts'
import { ApiKeyNotFound } from './problems.ts'
import { lockApiKey, updateApiKey } from './repository.ts'
import type { ApiKey } from './schemas.ts'

/** Ends a key for good. Revoking it again changes nothing. */
export async function revokeApiKey(work: Work, apiKeyId: string): Promise<ApiKey> {
  const found = await lockApiKey(work, apiKeyId)
  if (!found) throw new ApiKeyNotFound()
  if (found.revoked_at) return presentApiKey(found, work.now)
  const version = found.version + 1
  const row = await updateApiKey(work, found.id, { revoked_at: work.now, version, updated_at: work.now })
  const key = presentApiKey(row, work.now)
  work.record({
    type: 'apiKey.revoked',
    resource: { type: 'apiKey', id: key.id, version },
    changed: ['revokedAt'],
    data: key,
  })
  work.invalidate(apiKeyTag(key.id))
  return key
}
