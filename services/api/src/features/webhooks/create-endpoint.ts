import { ScopeNotHeld, SourceNotHeld } from '#features/identity/index.ts'
import type { Encryption } from '#platform/encryption.ts'
import { newId } from '#platform/id.ts'
import type { AppError } from '#platform/problem.ts'
import type { Work } from '#platform/work.ts'
import { recordEndpoint } from './endpoint.ts'
import { TooManyWebhookEndpoints } from './problems.ts'
import { countEndpoints, insertEndpoint } from './repository.ts'
import { type CreateWebhookEndpoint, mostEndpoints, type NewWebhookSecret } from './schemas.ts'
import { issueSecret } from './secrets.ts'

/** Registers a receiver. Its secret is in this answer and nowhere else that could be read. */
export async function createEndpoint(
  work: Work,
  input: CreateWebhookEndpoint,
  urlRefusal: AppError | null,
  encryption: Encryption,
): Promise<NewWebhookSecret> {
  refuseUnreadable(work)
  const allowedSources = sourcesFor(work, input.allowedSources)
  if (urlRefusal) throw urlRefusal
  const count = await countEndpoints(work)
  if (count >= mostEndpoints) throw new TooManyWebhookEndpoints({ detail: `There are ${count} webhook endpoints` })
  const row = newRow(work, input, allowedSources)
  await insertEndpoint(work, row)
  const secret = await issueSecret(work, encryption, row.id)
  return { ...recordEndpoint(work, 'webhook.endpointCreated', row, []), secret, previousSecretExpiresAt: null }
}

const newRow = (work: Work, input: CreateWebhookEndpoint, allowedSources: readonly string[]) => ({
  id: newId('whe'),
  principal_id: work.actor.principalId,
  url: input.url,
  description: input.description ?? null,
  types: [...(input.types ?? ['*'])],
  allowed_sources: [...allowedSources],
  ordering: input.ordering ?? 'none',
  state: 'active',
  disabled_reason: null,
  max_concurrency: input.maxConcurrency ?? 5,
  consecutive_failures: 0,
  failing_since: null,
  next_probe_at: null,
  probe_count: 0,
  metadata: input.metadata ?? {},
  version: 1,
  created_at: work.now,
  updated_at: work.now,
  archived_at: null,
})

/** What is told to a URL is read by whoever gave it: a key must be allowed to read events itself. */
export function refuseUnreadable({ actor }: Work): void {
  if (actor.type === 'apiKey' && !actor.scopes.has('events:read'))
    throw new ScopeNotHeld({ detail: 'The calling key lacks events:read, so it cannot have events sent' })
}

/** The sources an endpoint is bound to: for a key that is bound itself, its own or some of them. */
export function sourcesFor({ actor }: Work, wanted: readonly string[] | undefined): readonly string[] {
  const { sources } = actor
  if (sources === null) return wanted ?? []
  const given = wanted ?? [...sources]
  if (given.length === 0 || !given.every((source) => sources.has(source)))
    throw new SourceNotHeld({ detail: `The calling key is bound to ${[...sources].join(', ')}` })
  return given
}
