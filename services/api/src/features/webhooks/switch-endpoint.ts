import { cancelOpen, cancelTests, type EndpointRow, presentEndpoint } from '#features/webhook-delivery/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockKnown, writeEndpoint } from './endpoint.ts'
import { WebhookBacklogRemains } from './problems.ts'
import { retireSecrets } from './repository.ts'
import type { WebhookEndpoint } from './schemas.ts'

const healthy = { consecutive_failures: 0, failing_since: null, next_probe_at: null, probe_count: 0 } as const
const off = (row: EndpointRow, reason: string) => ({ ...row, ...healthy, state: 'disabled', disabled_reason: reason })

/** Sends again what happens from now on; what was missed meanwhile can be replayed. */
export async function enableEndpoint(
  work: Work,
  endpointId: string,
  expected: ExpectedVersion,
): Promise<WebhookEndpoint> {
  const row = await lockKnown(work, endpointId, expected)
  if (row.state === 'active') return presentEndpoint(row)
  const isEnding = row.state === 'disabled' && (await cancelOpen(work, row.id)).hasMore
  if (isEnding) throw new WebhookBacklogRemains({ retryAfterSeconds: 5 })
  const on = { ...row, ...healthy, state: 'active', disabled_reason: null }
  return writeEndpoint(work, 'webhook.endpointUpdated', on, ['state', 'disabledReason', 'failingSince'])
}

/** Sends nothing more, not even what waits; asked once more, it goes on with what still waits. */
export async function disableEndpoint(
  work: Work,
  endpointId: string,
  expected: ExpectedVersion,
): Promise<WebhookEndpoint> {
  const row = await lockKnown(work, endpointId, expected)
  if (row.state === 'disabled') {
    await cancelOpen(work, row.id)
    return presentEndpoint(row)
  }
  await cancelAll(work, row.id)
  return writeEndpoint(work, 'webhook.endpointUpdated', off(row, 'manual'), ['state', 'disabledReason', 'failingSince'])
}

/** Ends an endpoint for good. Its deliveries and their attempts can still be read. */
export async function deleteEndpoint(work: Work, endpointId: string, expected: ExpectedVersion): Promise<undefined> {
  const row = await lockKnown(work, endpointId, expected)
  await cancelAll(work, row.id)
  await retireSecrets(work, row.id, work.now)
  const gone = { ...off(row, 'deleted'), archived_at: work.now }
  await writeEndpoint(work, 'webhook.endpointDeleted', gone, ['state', 'disabledReason', 'failingSince'])
}

const cancelAll = (work: Work, endpointId: string) =>
  Promise.all([cancelOpen(work, endpointId), cancelTests(work, endpointId)])
