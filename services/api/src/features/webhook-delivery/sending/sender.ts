import { randomBytes } from 'node:crypto'
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '#platform/config.ts'
import { newId } from '#platform/id.ts'
import { createKeyedTurns } from '#platform/turns.ts'
import { startLoop } from '#platform/woken-loop.ts'
import { systemOrigin } from '#platform/work.ts'
import { type DispatchDependencies, dispatchOne } from './dispatch.ts'
import { newPaces } from './lanes.ts'
import { recoverEndpointById } from './record-outcome.ts'
import { releaseLeases, renewLeases } from './repository.ts'
import { type SenderState, type Turn, type TurnDependencies, takeTurn } from './turn.ts'

export interface SenderDependencies extends DispatchDependencies, TurnDependencies {
  readonly config: Config
}

export interface Sender {
  /** Takes nothing more and waits for what is on its way, as long as processes get to stop; gives back the rest. */
  stop(): Promise<void>
}

/** The channel on which the relay tells of new events. */
const eventsChannel = 'purser_events'
const pollMs = 500
/** What comes due meanwhile shares a turn. */
const restMs = 8
/** What a worker that was killed had taken is sent by another one after this; until then it fills its endpoint's slots. */
const leaseMs = 4_000
const renewalMs = 1_000
/** Failures being written. Each takes a connection, and the next turn needs one too. */
const recordsAtOnce = 3

/** Sends what is due for as long as it is not stopped. Any number of workers share the work. */
export function startSender(dependencies: SenderDependencies): Sender {
  const { config, log, unitOfWork } = dependencies
  const state = newState(config)
  const loop = startLoop({
    config,
    log,
    name: 'purser-webhooks',
    channel: eventsChannel,
    pollMs,
    restMs,
    async turn() {
      const { dispatches, recovered, isMore } = await takeTurn(dependencies, state)
      for (const dispatch of dispatches)
        void dispatchOne(dependencies, state, dispatch).then((hasArrived) => hasArrived && loop.ring())
      await recover(dependencies, recovered)
      return isMore
    },
  })
  let isRenewing = false
  const renewal = setInterval(() => {
    if (isRenewing || state.inFlight.size === 0) return
    isRenewing = true
    unitOfWork
      .sweep((db) => renewLeases(db, [...state.inFlight.keys()], state.lease))
      .catch((error: unknown) => log.warn({ err: error }, 'leases of webhook deliveries were not renewed'))
      .finally(() => {
        isRenewing = false
      })
  }, renewalMs)
  return {
    async stop() {
      state.isStopping = true
      const deadline = performance.now() + config.SHUTDOWN_GRACE_MS
      while (state.inFlight.size > 0 && performance.now() < deadline) await delay(20)
      clearInterval(renewal)
      await loop.stop()
      if (state.inFlight.size > 0) await unitOfWork.sweep((db) => releaseLeases(db, state.lease.worker))
    },
  }
}

const newState = (config: Config): SenderState => ({
  lease: { worker: `${os.hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`, ms: leaseMs },
  mostInFlight: config.WEBHOOKS_IN_FLIGHT,
  inFlight: new Map(),
  paces: newPaces(),
  recordInTurn: createKeyedTurns(recordsAtOnce),
  arrivals: [],
  served: new Map(),
  expiredAt: Number.NEGATIVE_INFINITY,
  isStopping: false,
})

/** For endpoints that began to fail while a delivery to them was on its way, and it arrived. */
async function recover({ unitOfWork, log }: DispatchDependencies, recovered: Turn['recovered']): Promise<void> {
  for (const { organization_id: organizationId, id } of recovered) {
    const origin = { organizationId, name: 'webhooks', requestId: newId('req'), traceparent: null, log }
    await unitOfWork.write(systemOrigin(origin), (work) => recoverEndpointById(work, id))
  }
}
