import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentApiKey, presentOrganization } from './present.ts'
import { ApiKeyNotFound } from './problems.ts'
import { selectApiKey, selectApiKeys, selectOrganization } from './repository.ts'
import type { ApiKey, Me, Organization } from './schemas.ts'

export async function readOrganization(view: View): Promise<Organization> {
  return presentOrganization(await selectOrganization(view))
}

export async function readApiKey(view: View, apiKeyId: string): Promise<ApiKey> {
  const row = await selectApiKey(view, apiKeyId)
  if (!row) throw new ApiKeyNotFound()
  return presentApiKey(row, view.now)
}

export async function listApiKeys(view: View, page: PageRequest): Promise<Page<ApiKey>> {
  const rows = await selectApiKeys(view, page)
  return toPage(
    rows,
    page,
    (row) => [row.id],
    (row) => presentApiKey(row, view.now),
  )
}

/** Who is calling, what for and how often it may. */
export async function readMe(view: View, defaultLimitPerMinute: number): Promise<Me> {
  const { actor } = view
  const [organization, key] = await Promise.all([readOrganization(view), readApiKey(view, actor.keyId ?? '')])
  return {
    type: 'apiKey',
    principalId: actor.principalId,
    scopes: [...actor.scopes],
    limits: { requestsPerMinute: key.rateLimitPerMinute ?? defaultLimitPerMinute },
    apiKey: key,
    organization,
  }
}
