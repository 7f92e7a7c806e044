import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.ts'
import { type Database, inTransaction, runSql } from './database.ts'
import { connectDirectly, type DirectConnection } from './direct-connection.ts'
import type { Logger } from './logger.ts'
import { eventsChannel } from './relay/channels.ts'

/** Tells who waits in this process that an organization has new events, whichever worker numbered them. */
export interface EventSignal {
  /**
   * Calls `onHead` with the newest sequence when it has grown, until the returned function is called. Sequences may be
   * left out, and the first call may name one that is known already: read from where you are.
   */
  subscribe(organizationId: string, onHead: (sequence: number) => void): () => void
  close(): Promise<void>
}

export interface EventSignalOptions {
  readonly config: Config
  readonly log: Logger
  readonly database: Database
}

/** How often the heads are looked up while nobody can tell of them. */
const pollMs = 1_000
/** How often the connection is asked whether it is still there. */
const checkMs = 5_000
const statementTimeoutMs = 2_000

interface Listeners {
  readonly callbacks: Set<(sequence: number) => void>
  told: number
}

/** LISTENs on a connection of its own, opened with the first subscription; polls while it has none. */
export function createEventSignal(options: EventSignalOptions): EventSignal {
  const listeners = new Map<string, Listeners>()
  const closing = new AbortController()
  let running: Promise<void> | undefined

  function tell(organizationId: string, sequence: number): void {
    const own = listeners.get(organizationId)
    if (own === undefined || sequence <= own.told) return
    own.told = sequence
    for (const callback of [...own.callbacks]) callback(sequence)
  }

  async function lookUp(): Promise<void> {
    for (const organizationId of [...listeners.keys()]) {
      if (closing.signal.aborted) return
      tell(organizationId, await readHead(options.database, organizationId))
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const connection = await listen(options, tell)
      try {
        await lookUp()
        while (connection && !closing.signal.aborted && !connection.isEnded()) {
          await Promise.race([pause(checkMs), connection.ended])
          if (!closing.signal.aborted) await connection.query('select')
        }
      } catch (error) {
        options.log.debug({ err: error }, 'new events cannot be heard of now')
      }
      await connection?.close()
      await pause(pollMs)
    }
  }
  const pause = (ms: number) => delay(ms, undefined, { ref: false, signal: closing.signal }).catch(() => {})

  return {
    subscribe(organizationId, onHead) {
      const own = listeners.get(organizationId) ?? { callbacks: new Set(), told: 0 }
      own.callbacks.add(onHead)
      listeners.set(organizationId, own)
      running ??= run()
      return () => {
        own.callbacks.delete(onHead)
        if (own.callbacks.size === 0 && listeners.get(organizationId) === own) listeners.delete(organizationId)
      }
    },
    async close() {
      closing.abort()
      listeners.clear()
      await running
    },
  }
}

/** A connection that hears of new events; null when there is none to be had. */
async function listen(
  { config, log }: EventSignalOptions,
  tell: (organizationId: string, sequence: number) => void,
): Promise<DirectConnection | null> {
  try {
    const connection = await connectDirectly({ config, log, applicationName: 'purser-events', statementTimeoutMs })
    connection.unref()
    await connection.listen(eventsChannel, (payload) => {
      const heads = JSON.parse(payload) as Readonly<Record<string, number>>
      for (const [organizationId, sequence] of Object.entries(heads)) tell(organizationId, sequence)
    })
    return connection
  } catch (error) {
    log.debug({ err: error }, 'new events are looked up, not heard of')
    return null
  }
}

async function readHead(database: Database, organizationId: string): Promise<number> {
  const text = 'select sequence from event_heads where organization_id = $1'
  const begun = database.begin({ role: 'app', organizationId, readOnly: true })
  const [head] = await inTransaction(begun, (db) => runSql<{ sequence: number }>(db, text, [organizationId]))
  return head?.sequence ?? 0
}
