import { newId } from '#platform/id.ts'
import type { Scope } from '#platform/scopes.ts'
import type { Work } from '#platform/work.ts'
import { parseCidrs } from './cidrs.ts'
import { presentApiKey } from './present.ts'
import { InvalidExpiry, ScopeNotHeld, SourceNotHeld } from './problems.ts'
import { insertApiKey } from './repository.ts'
import type { CreateApiKey, NewApiKey } from './schemas.ts'
import { newSecret } from './secret.ts'

/** Creates a key with no scope that its creator lacks. The secret is in this answer and nowhere else. */
export async function createApiKey(work: Work, input: CreateApiKey): Promise<NewApiKey> {
  refuseForeignScopes(work, input.scopes)
  refuseForeignSources(work, input.allowedSources ?? [])
  parseCidrs(input.allowedCidrs ?? [])
  const expiresAt = input.expiresAt === undefined ? null : new Date(input.expiresAt)
  if (expiresAt && expiresAt <= work.now) throw new InvalidExpiry()
  return issueApiKey(work, {
    principal_id: newId('usr'),
    name: input.name,
    mode: input.mode ?? 'live',
    scopes: [...input.scopes],
    rate_limit_per_minute: input.rateLimitPerMinute ?? null,
    allowed_cidrs: [...(input.allowedCidrs ?? [])],
    allowed_sources: [...(input.allowedSources ?? [])],
    expires_at: expiresAt,
    metadata: input.metadata ?? {},
  })
}

type KeyFacts = Pick<
  Parameters<typeof insertApiKey>[1],
  | 'principal_id'
  | 'name'
  | 'scopes'
  | 'rate_limit_per_minute'
  | 'allowed_cidrs'
  | 'allowed_sources'
  | 'expires_at'
  | 'metadata'
> & { readonly mode: 'live' | 'test' }

/** Stores a key with a fresh secret and records it. */
export async function issueApiKey(work: Work, facts: KeyFacts): Promise<NewApiKey> {
  const { secret, secretHash, hint } = newSecret(facts.mode)
  const row = await insertApiKey(work, {
    ...facts,
    id: newId('key'),
    hint,
    secret_hash: secretHash,
    created_at: work.now,
    updated_at: work.now,
  })
  const key = presentApiKey(row, work.now)
  work.record({ type: 'apiKey.created', resource: { type: 'apiKey', id: key.id, version: key.version }, data: key })
  return { ...key, secret }
}

/** Keeps a key from handing out, by creating or rotating, what it may not do itself. */
export function refuseForeignScopes({ actor }: Work, wanted: readonly Scope[]): void {
  if (actor.type === 'system') return
  const missing = wanted.filter((scope) => !actor.scopes.has(scope))
  if (missing.length > 0) throw new ScopeNotHeld({ detail: `The calling key lacks ${missing.join(', ')}` })
}

/** Keeps a key that is bound to sources from handing out others; no sources mean all of them. */
export function refuseForeignSources({ actor: { sources } }: Work, wanted: readonly string[]): void {
  if (sources === null) return
  const isWithin = wanted.length > 0 && wanted.every((source) => sources.has(source))
  if (!isWithin) throw new SourceNotHeld({ detail: `The calling key is bound to ${[...sources].join(', ')}` })
}
