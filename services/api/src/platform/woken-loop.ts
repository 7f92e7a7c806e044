import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.ts'
import { connectDirectly } from './direct-connection.ts'
import type { Logger } from './logger.ts'
import { createBell } from './relay/bell.ts'

export interface LoopOptions {
  readonly config: Config
  readonly log: Logger
  /** Names its database connection and its log lines. */
  readonly name: string
  /** Rings on every notification of this channel. */
  readonly channel: string
  /** How long it waits when nobody rings. */
  readonly pollMs: number
  /** Least time between two turns; what rings in between shares the next. */
  readonly restMs: number
  /** Does what there is to do; true: there is more. */
  turn(): Promise<boolean>
}

export interface Loop {
  /** Asks for a turn soon. */
  ring(): void
  /** Ends after the turn under way. */
  stop(): Promise<void>
}

const failurePauseMs = 500
const reconnectMs = 1_000
const statementTimeoutMs = 5_000

/**
 * Takes turns for as long as it is not stopped: when it is rung, when the database notifies, and every `pollMs` all the
 * same. A turn that fails is taken again after a pause.
 */
export function startLoop(options: LoopOptions): Loop {
  const { log, name, pollMs, restMs, turn } = options
  const bell = createBell()
  const stopping = new AbortController()
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal }).catch(() => {})

  async function takeTurns(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (!(await turn())) await bell.wait(pollMs)
        await pause(restMs)
      } catch (error) {
        log.warn({ err: error }, `${name}: a turn failed and is taken again`)
        await pause(failurePauseMs)
      }
    }
  }

  async function listen(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const connection = await connectDirectly({ ...options, applicationName: name, statementTimeoutMs })
        stopping.signal.addEventListener('abort', () => void connection.close(), { once: true })
        if (stopping.signal.aborted) await connection.close()
        await connection.listen(options.channel, bell.ring)
        bell.ring()
        await connection.ended
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error }, `${name}: not notified for now, looks by itself`)
      }
      await pause(reconnectMs)
    }
  }

  const running = Promise.all([takeTurns(), listen()])
  return {
    ring: bell.ring,
    async stop() {
      stopping.abort()
      bell.ring()
      await running
    },
  }
}
