import { type BlockList, isIPv4 } from 'node:net'
import type { Actor } from '#platform/actor.ts'
import type { Caches } from '#platform/cache.ts'
import type { Clock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import type { Database } from '#platform/database.ts'
import { newId } from '#platform/id.ts'
import type { Logger } from '#platform/logger.ts'
import type { Scope } from '#platform/scopes.ts'
import { systemOrigin, type UnitOfWork } from '#platform/work.ts'
import { parseCidrs } from './cidrs.ts'
import { type CredentialRow, selectCredential, updateApiKey } from './repository.ts'
import { hashOfPresented } from './secret.ts'

export interface ApiKeyLookup {
  /** Whose key this is; null when it is unknown, expired, revoked or not allowed from `address`. */
  find(presented: string, address: string): Promise<FoundKey | null>
}

interface FoundKey {
  readonly actor: Actor
  readonly limitPerMinute: number | null
}

interface KnownKey {
  readonly row: CredentialRow | null
  readonly key: FoundKey | null
  readonly allowed: BlockList | null
}

export interface ApiKeyLookupDependencies {
  readonly config: Config
  readonly log: Logger
  readonly clock: Clock
  readonly caches: Caches
  readonly database: Database
  readonly unitOfWork: UnitOfWork
}

const lastUseGranularityMs = 60_000

export const apiKeyTag = (id: string): string => `apiKey ${id}`

/** Verifies API keys, from a cache of a few seconds; a revoked key stops working at once in this process. */
export function createApiKeyLookup(dependencies: ApiKeyLookupDependencies): ApiKeyLookup {
  const { config, clock, caches, database } = dependencies
  const cache = caches.create<KnownKey>({
    ttlMs: config.AUTHENTICATION_CACHE_TTL_MS,
    maxEntries: 10_000,
    tagOf: ({ row }) => row && apiKeyTag(row.id),
  })
  return {
    async find(presented, address) {
      const secretHash = hashOfPresented(presented)
      if (secretHash === null) return null
      const { row, key, allowed } = await cache.get(secretHash, async () =>
        knownKeyOf(await selectCredential(database, secretHash)),
      )
      if (!row || row.revoked_at || (row.expires_at && row.expires_at <= clock.now())) return null
      if (allowed !== null && !allowed.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')) return null
      markUse(dependencies, row)
      return key
    },
  }
}

function knownKeyOf(row: CredentialRow | null): KnownKey {
  if (!row) return { row, key: null, allowed: null }
  const actor: Actor = {
    type: 'apiKey',
    principalId: row.principal_id,
    keyId: row.id,
    organizationId: row.organization_id,
    scopes: new Set(row.scopes as Scope[]),
    sources: row.allowed_sources.length === 0 ? null : new Set(row.allowed_sources),
  }
  const allowed = row.allowed_cidrs.length === 0 ? null : parseCidrs(row.allowed_cidrs)
  return { row, key: { actor, limitPerMinute: row.rate_limit_per_minute }, allowed }
}

/** Remembers the last use to the minute, beside the request; a key that was refused has not been used. */
function markUse({ log, clock, unitOfWork }: ApiKeyLookupDependencies, row: CredentialRow): void {
  const now = clock.now()
  if (row.last_used_at && now.getTime() - row.last_used_at.getTime() < lastUseGranularityMs) return
  row.last_used_at = now
  const origin = {
    organizationId: row.organization_id,
    name: 'identity',
    requestId: newId('req'),
    traceparent: null,
    log,
  }
  unitOfWork
    .write(systemOrigin(origin), (work) => updateApiKey(work, row.id, { last_used_at: now }))
    .catch((error: unknown) => log.warn({ err: error }, 'last use of an API key not remembered'))
}
