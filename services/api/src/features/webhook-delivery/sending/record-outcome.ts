import type { Alert } from '#platform/alerts.ts'
import type { Work } from '#platform/work.ts'
import { cancelOpen, revive } from '../backlog.ts'
import { presentDelivery, presentEndpoint } from '../present.ts'
import {
  type DeliveryRow,
  type EndpointRow,
  lockEndpoint,
  lockLeased,
  mostAttempts,
  writeEndpoint,
  writeOutcome,
} from '../repository.ts'
import { type AttemptRow, insertAttempt } from './repository.ts'
import { probeAt, retryAt } from './schedule.ts'

/** One attempt and what the sender knows of it. */
export interface Attempted {
  readonly attempt: AttemptRow
  readonly worker: string
  readonly isProbe: boolean
  /** How long the receiver asked to be left alone. */
  readonly askedMs: number | null
}

/** Failures without a success between them after which an endpoint counts as failing; fewer when a delivery died. */
const mostFailures = 10
const failuresWithDeath = 3

/**
 * Records an attempt that changes more than its delivery: one that failed, and one that arrived at an endpoint that was
 * failing. Returns whom to alert once this has committed.
 */
export async function recordOutcome(work: Work, attempted: Attempted): Promise<readonly Alert[]> {
  const { attempt, worker } = attempted
  await insertAttempt(work, attempt)
  // The endpoint first, as whoever disables it does.
  const endpoint = await lockEndpoint(work, attempt.endpoint_id)
  const delivery = await lockLeased(work, attempt.delivery_id, worker)
  if (!delivery) return []
  if (isSuccess(attempt.status)) return recordArrival(work, endpoint, delivery, attempt)
  if (!endpoint || (endpoint.state === 'disabled' && delivery.payload === null)) {
    await writeOutcome(work, delivery.id, { ...afterAttempt(delivery, attempt), state: 'cancelled' })
    return []
  }
  if (attempt.status === 410) return disable(work, endpoint, delivery, attempt)
  if (delivery.payload !== null) {
    await writeOutcome(work, delivery.id, { ...afterAttempt(delivery, attempt), state: 'dead', attempts_left: 0 })
    return []
  }
  return recordFailure(work, endpoint, delivery, attempted)
}

export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300

const afterAttempt = (delivery: DeliveryRow, { number, status, error }: AttemptRow) => ({
  state: delivery.state,
  attempts: number,
  attempts_left: delivery.attempts_left,
  due_at: delivery.due_at,
  last_status: status,
  last_error: error,
  version: delivery.version,
  delivered_at: null,
})

/** An endpoint that takes a delivery has recovered: all that waits for it, and all that was given up, is sent in order. */
async function recordArrival(
  work: Work,
  endpoint: EndpointRow | undefined,
  delivery: DeliveryRow,
  attempt: AttemptRow,
): Promise<readonly Alert[]> {
  const arrived = { ...afterAttempt(delivery, attempt), state: 'delivered', delivered_at: attempt.at }
  await writeOutcome(work, delivery.id, arrived)
  if (endpoint) await recoverEndpoint(work, endpoint)
  return []
}

async function recoverEndpoint(work: Work, endpoint: EndpointRow): Promise<void> {
  if (endpoint.state !== 'failing') return
  const healthy = { state: 'active', consecutive_failures: 0, failing_since: null, next_probe_at: null, probe_count: 0 }
  await changeEndpoint(work, 'webhook.endpointRecovered', { ...endpoint, ...healthy })
  await revive(work, endpoint.id)
}

/** The same for an endpoint one of whose other deliveries arrived. */
export async function recoverEndpointById(work: Work, endpointId: string): Promise<void> {
  const endpoint = await lockEndpoint(work, endpointId)
  if (endpoint) await recoverEndpoint(work, endpoint)
}

/** 410: the receiver is gone for good. */
async function disable(
  work: Work,
  endpoint: EndpointRow,
  delivery: DeliveryRow,
  attempt: AttemptRow,
): Promise<readonly Alert[]> {
  await writeOutcome(work, delivery.id, { ...afterAttempt(delivery, attempt), state: 'cancelled' })
  const off = { state: 'disabled', disabled_reason: 'gone', failing_since: null, next_probe_at: null, probe_count: 0 }
  await changeEndpoint(work, 'webhook.endpointDisabled', { ...endpoint, ...off })
  await cancelOpen(work, endpoint.id)
  return [alertOf(work, endpoint, 'webhook.endpointDisabled', 'webhook endpoint answered 410 and is disabled')]
}

async function recordFailure(
  work: Work,
  endpoint: EndpointRow,
  delivery: DeliveryRow,
  { attempt, isProbe, askedMs }: Attempted,
): Promise<readonly Alert[]> {
  const after = afterAttempt(delivery, attempt)
  if (endpoint.state === 'failing') {
    // Whatever was on its way waits with the others; a delivery that was dead stays dead.
    const state = delivery.attempts_left === 0 ? 'dead' : 'pending'
    await writeOutcome(work, delivery.id, { ...after, state })
    const probes = endpoint.probe_count + 1
    const later = { probe_count: probes, next_probe_at: probeAt(work.now, probes) }
    if (isProbe) await writeEndpoint(work, { ...endpoint, ...later })
    return []
  }
  const left = Math.max(0, delivery.attempts_left - 1)
  const due = retryAt(work.now, mostAttempts - left, askedMs)
  const outcome = { ...after, attempts_left: left, state: left === 0 ? 'dead' : 'pending', due_at: due }
  const alerts = left === 0 ? await bury(work, delivery, outcome) : []
  if (left > 0) await writeOutcome(work, delivery.id, outcome)
  return [...alerts, ...(await countFailure(work, endpoint, left === 0))]
}

/** Gives a delivery up. The death of a message about webhooks is not told to others: two dead receivers would never end. */
async function bury(
  work: Work,
  delivery: DeliveryRow,
  outcome: Parameters<typeof writeOutcome>[2],
): Promise<readonly Alert[]> {
  const isTold = !delivery.event_type.startsWith('webhook.')
  const version = delivery.version + (isTold ? 1 : 0)
  const dead = await writeOutcome(work, delivery.id, { ...outcome, version })
  const resource = { type: 'webhookDelivery', id: dead.id, version }
  const changed = ['state']
  if (isTold)
    work.record({ type: 'webhook.deliveryDead', resource, changed, data: { ...presentDelivery(dead), version } })
  return [
    {
      alert: 'webhook.deliveryDead',
      message: 'webhook delivery is dead: its last attempt failed',
      organizationId: work.actor.organizationId,
      endpointId: dead.endpoint_id,
      deliveryId: dead.id,
      eventId: dead.event_id,
      status: dead.last_status,
      error: dead.last_error,
    },
  ]
}

async function countFailure(work: Work, endpoint: EndpointRow, isDeath: boolean): Promise<readonly Alert[]> {
  const failures = endpoint.consecutive_failures + 1
  if (failures < (isDeath ? failuresWithDeath : mostFailures)) {
    await writeEndpoint(work, { ...endpoint, consecutive_failures: failures })
    return []
  }
  const failing = { state: 'failing', failing_since: work.now, next_probe_at: probeAt(work.now, 0), probe_count: 0 }
  await changeEndpoint(work, 'webhook.endpointFailing', { ...endpoint, ...failing, consecutive_failures: failures })
  return [alertOf(work, endpoint, 'webhook.endpointFailing', 'webhook endpoint is failing: its deliveries wait')]
}

type EndpointChange = 'webhook.endpointFailing' | 'webhook.endpointRecovered' | 'webhook.endpointDisabled'

/** Writes a change of state that everybody may know. */
async function changeEndpoint(work: Work, type: EndpointChange, row: EndpointRow): Promise<void> {
  const endpoint = { ...row, version: row.version + 1, updated_at: work.now }
  await writeEndpoint(work, endpoint)
  const resource = { type: 'webhookEndpoint', id: endpoint.id, version: endpoint.version }
  work.record({ type, resource, changed: ['state'], data: presentEndpoint(endpoint) })
}

const alertOf = (work: Work, { id }: EndpointRow, alert: Alert['alert'], message: string): Alert => ({
  alert,
  message,
  organizationId: work.actor.organizationId,
  endpointId: id,
})
