import { type EndpointRow, presentEndpoint } from '#features/webhook-delivery/index.ts'
import { changedFields } from '#platform/changed-fields.ts'
import type { AppError } from '#platform/problem.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { refuseUnreadable, sourcesFor } from './create-endpoint.ts'
import { lockKnown, writeEndpoint } from './endpoint.ts'
import type { UpdateWebhookEndpoint, WebhookEndpoint } from './schemas.ts'

const facts = [
  'url',
  'description',
  'types',
  'allowedSources',
  'ordering',
  'maxConcurrency',
  'metadata',
] as const satisfies readonly (keyof UpdateWebhookEndpoint)[]

/** Changes what is given; what leaves the endpoint as it was writes nothing and keeps the version. */
export async function changeEndpoint(
  work: Work,
  endpointId: string,
  input: UpdateWebhookEndpoint,
  expected: ExpectedVersion,
  urlRefusal: AppError | null,
): Promise<WebhookEndpoint> {
  const before = await lockKnown(work, endpointId, expected)
  refuseUnreadable(work)
  if (urlRefusal) throw urlRefusal
  const after: EndpointRow = {
    ...before,
    url: input.url ?? before.url,
    description: input.description === undefined ? before.description : input.description,
    types: input.types ? [...input.types] : before.types,
    allowed_sources: input.allowedSources ? [...sourcesFor(work, input.allowedSources)] : before.allowed_sources,
    ordering: input.ordering ?? before.ordering,
    max_concurrency: input.maxConcurrency ?? before.max_concurrency,
    metadata: input.metadata ?? before.metadata,
  }
  const old = presentEndpoint(before)
  const changed = changedFields(facts, old, presentEndpoint(after))
  return changed.length === 0 ? old : writeEndpoint(work, 'webhook.endpointUpdated', after, changed)
}
