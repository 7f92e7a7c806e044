import type { Scope } from '#platform/scopes.ts'
import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { ApiKeyRow, OrganizationRow } from './repository.ts'
import type { ApiKey, Organization } from './schemas.ts'

export const presentOrganization = (row: OrganizationRow): Organization => ({
  id: row.id,
  name: row.name,
  currency: row.currency,
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})

export const presentApiKey = (row: ApiKeyRow, now: Date): ApiKey => ({
  id: row.id,
  principalId: row.principal_id,
  name: row.name,
  mode: row.mode as ApiKey['mode'],
  hint: row.hint,
  scopes: row.scopes as Scope[],
  rateLimitPerMinute: row.rate_limit_per_minute,
  allowedCidrs: row.allowed_cidrs,
  allowedSources: row.allowed_sources,
  status: row.revoked_at ? 'revoked' : row.expires_at && row.expires_at <= now ? 'expired' : 'active',
  expiresAt: timestampOrNull(row.expires_at),
  revokedAt: timestampOrNull(row.revoked_at),
  lastUsedAt: timestampOrNull(row.last_used_at),
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})
