import type { KeyObject } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Alert, Alerts } from '#platform/alerts.ts'
import type { Clock } from '#platform/clock.ts'
import type { Encryption } from '#platform/encryption.ts'
import { newId } from '#platform/id.ts'
import type { Logger } from '#platform/logger.ts'
import type { Outbound, OutboundOutcome } from '#platform/outbound-http.ts'
import { systemOrigin, type UnitOfWork, type Work } from '#platform/work.ts'
import { paceOf } from './lanes.ts'
import { headersOf, signingKey } from './message.ts'
import { isSuccess, recordOutcome } from './record-outcome.ts'
import type { AttemptRow, SecretRow } from './repository.ts'
import { askedPause } from './schedule.ts'
import type { Dispatch, SenderState } from './turn.ts'

export interface DispatchDependencies {
  readonly log: Logger
  readonly clock: Clock
  readonly unitOfWork: UnitOfWork
  readonly encryption: Encryption
  readonly alerts: Alerts
  readonly outbound: Outbound
}

const recordTries = 5
const recordPauseMs = 1_000

/**
 * Sends one delivery and sees to it that what came of it is written: an arrival with the next turn, all else at once.
 * It is marked after it was sent, never before; what cannot be written is sent again once its lease has run out.
 * Returns whether it arrived: one that did not asks for no turn, so that failures by the hundred cause no turns.
 */
export async function dispatchOne(
  sender: DispatchDependencies,
  state: SenderState,
  dispatch: Dispatch,
): Promise<boolean> {
  const { delivery, endpoint } = dispatch
  const at = sender.clock.now()
  const outcome = await post(sender, dispatch).catch((error: unknown) => unsent(sender.log, dispatch, error))
  const attempt = attemptOf(dispatch, outcome, at)
  const isArrival = isSuccess(outcome.status)
  state.paces.set(delivery.endpoint_id, paceOf(isArrival, outcome.durationMs))
  const { id, event_id, endpoint_id } = delivery
  const { status, error, durationMs } = outcome
  const told = { deliveryId: id, endpointId: endpoint_id, eventId: event_id, status, error, durationMs }
  sender.log[isArrival ? 'debug' : 'info'](told, isArrival ? 'webhook delivered' : 'webhook attempt failed')
  if (isArrival && (endpoint.mode === 'any' || endpoint.mode === 'inOrder')) {
    state.arrivals.push(attempt)
    return true
  }
  const askedMs = askedPause(status, outcome.retryAfter, new Date())
  const attempted = { attempt, worker: state.lease.worker, isProbe: endpoint.mode === 'probe', askedMs }
  // Those of one endpoint lock the same row: they come one after the other and hold no connection while they wait.
  const alerts = await state.recordInTurn(endpoint_id, () =>
    record(sender, dispatch, (work) => recordOutcome(work, attempted)),
  )
  for (const alert of alerts) sender.alerts.raise(alert)
  state.inFlight.delete(id)
  return isArrival
}

/** The time of the signature is that of the world, whatever the clock of the service says: receivers compare it. */
async function post({ encryption, outbound }: DispatchDependencies, dispatch: Dispatch): Promise<OutboundOutcome> {
  const { endpoint, message } = dispatch
  const keys = dispatch.secrets.map((secret) => keyOf(encryption, secret))
  return outbound.post({ url: endpoint.url, headers: headersOf(message, keys, new Date()), body: message.body })
}

/** Deliveries of one turn share the rows of their secrets, and so what was decrypted. */
const opened = new WeakMap<SecretRow, KeyObject>()

function keyOf(encryption: Encryption, secret: SecretRow): KeyObject {
  const known = opened.get(secret)
  if (known) return known
  const { ciphertext, organization_id: organizationId, id } = secret
  const key = signingKey(encryption.decrypt(ciphertext, { table: 'webhook_secrets', organizationId, id }))
  opened.set(secret, key)
  return key
}

/** A defect or a lost key: the attempt counts as failed, and others go on. */
function unsent(log: Logger, { delivery }: Dispatch, error: unknown): OutboundOutcome {
  log.error({ err: error, deliveryId: delivery.id }, 'webhook could not be signed or sent')
  return { status: null, error: 'NOT_SENT', retryAfter: null, excerpt: '', durationMs: 0 }
}

const attemptOf = ({ delivery }: Dispatch, outcome: OutboundOutcome, at: Date): AttemptRow => ({
  organization_id: delivery.organization_id,
  id: newId('wat'),
  delivery_id: delivery.id,
  endpoint_id: delivery.endpoint_id,
  number: delivery.attempts + 1,
  at,
  duration_ms: outcome.durationMs,
  status: outcome.status,
  error: outcome.error,
  response_excerpt: outcome.excerpt,
})

/** Writes in the name of the service; tries again while the database is away, for a few seconds. */
async function record(
  { log, unitOfWork }: DispatchDependencies,
  { delivery, message }: Dispatch,
  run: (work: Work) => Promise<readonly Alert[]>,
): Promise<readonly Alert[]> {
  const { organization_id: organizationId } = delivery
  const origin = { organizationId, name: 'webhooks', requestId: newId('req'), traceparent: message.traceparent, log }
  for (let attempt = 1; attempt <= recordTries; attempt++) {
    const alerts = await unitOfWork.write(systemOrigin(origin), run).catch((error: unknown) => {
      log.warn({ err: error, deliveryId: delivery.id }, 'outcome of a webhook was not written')
    })
    if (alerts) return alerts
    await delay(recordPauseMs)
  }
  return []
}
