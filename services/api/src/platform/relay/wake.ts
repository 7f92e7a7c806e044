import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { connectDirectly, type DirectConnection } from '../direct-connection.ts'
import type { Logger } from '../logger.ts'
import { batchRestMs, ledgerChannel } from './channels.ts'

const retryMs = 1_000
const statementTimeoutMs = 1_000

/** Tells the relay that there is something to number. */
export interface LedgerSignal {
  /** Call it after COMMIT. Never waits and never fails: the relay also looks by itself. */
  wake(): void
  close(): Promise<void>
}

/**
 * NOTIFY inside the business transaction would make commits queue up, so it has a connection of its own, opened with the
 * first signal. One signal is under way and one waits, however many ask.
 */
export function createLedgerSignal({ config, log }: { readonly config: Config; readonly log: Logger }): LedgerSignal {
  let waiting = false
  const closing = new AbortController()
  let running: Promise<void> | undefined
  let connection: DirectConnection | undefined

  async function send(): Promise<number> {
    try {
      connection ??= await connectDirectly({ config, log, applicationName: 'purser-wake', statementTimeoutMs })
      connection.unref()
      await connection.query(`notify ${ledgerChannel}`)
      return batchRestMs
    } catch (error) {
      log.debug({ err: error }, 'the relay was not told of new rows')
      await connection?.close()
      connection = undefined
      return retryMs
    }
  }

  async function run(): Promise<void> {
    while (waiting && !closing.signal.aborted) {
      waiting = false
      await delay(await send(), undefined, { ref: false, signal: closing.signal }).catch(() => {})
    }
    running = undefined
  }

  return {
    wake() {
      waiting = true
      running ??= run()
    },
    async close() {
      closing.abort()
      await running
      await connection?.close()
    },
  }
}
