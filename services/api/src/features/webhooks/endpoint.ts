import { type EndpointRow, lockEndpoint, presentEndpoint } from '#features/webhook-delivery/index.ts'
import type { Actor } from '#platform/actor.ts'
import { checkVersion, type ExpectedVersion } from '#platform/version.ts'
import type { View, Work } from '#platform/work.ts'
import { WebhookEndpointNotFound } from './problems.ts'
import { selectEndpoint, updateEndpoint } from './repository.ts'
import type { WebhookEndpoint } from './schemas.ts'

/** A key that is bound to sources knows of the endpoints alone that are bound to no others. */
export const mayKnow = ({ sources }: Actor, { allowed_sources }: EndpointRow): boolean =>
  sources === null || (allowed_sources.length > 0 && allowed_sources.every((source) => sources.has(source)))

/** @throws WebhookEndpointNotFound */
export async function findEndpoint(view: View, endpointId: string): Promise<EndpointRow> {
  const row = await selectEndpoint(view, endpointId)
  if (!row || !mayKnow(view.actor, row)) throw new WebhookEndpointNotFound()
  return row
}

/** @throws WebhookEndpointNotFound, PreconditionRequired, PreconditionFailed */
export async function lockKnown(work: Work, endpointId: string, expected?: ExpectedVersion): Promise<EndpointRow> {
  const row = await lockEndpoint(work, endpointId)
  if (!row || !mayKnow(work.actor, row)) throw new WebhookEndpointNotFound()
  if (expected) checkVersion(expected, row.version)
  return row
}

type EndpointEvent = 'webhook.endpointCreated' | 'webhook.endpointUpdated' | 'webhook.endpointDeleted'

/** Writes a change of an endpoint that is locked, and tells the readers of the ledger. */
export async function writeEndpoint(
  work: Work,
  type: EndpointEvent,
  row: EndpointRow,
  changed: readonly string[],
): Promise<WebhookEndpoint> {
  const written = { ...row, version: row.version + 1, updated_at: work.now }
  await updateEndpoint(work, written)
  return recordEndpoint(work, type, written, changed)
}

/** Secrets are in no column of an endpoint, so they are in no event. */
export function recordEndpoint(
  work: Work,
  type: EndpointEvent,
  row: EndpointRow,
  changed: readonly string[],
): WebhookEndpoint {
  const endpoint = presentEndpoint(row)
  const resource = { type: 'webhookEndpoint', id: row.id, version: row.version }
  work.record({ type, resource, changed, data: endpoint })
  return endpoint
}
