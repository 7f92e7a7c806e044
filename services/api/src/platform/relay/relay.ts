import os from 'node:os'
import type { Alerts } from '../alerts.ts'
import type { Config } from '../config.ts'
import { connectDirectly, type DirectConnection } from '../direct-connection.ts'
import type { Logger } from '../logger.ts'
import { adoptLedger } from './adoption.ts'
import { organizationsOf, relayBatch } from './batch.ts'
import { type Bell, createBell, restSince } from './bell.ts'
import { batchRestMs, ledgerChannel } from './channels.ts'
import type { FanOut } from './fan-out.ts'
import { createLagAlarm } from './lag.ts'
import { tryToLead } from './leadership.ts'
import { type FoundRow, readFinished } from './rows.ts'
import { asRelay, beat, movePosition } from './state.ts'

/** Rows per transaction: enough to share its cost, few enough to be there soon. */
const batchSize = 500
/** Of the organizations of a batch, as many are expected in the next one. */
const mostExpected = 20
const statementTimeoutMs = 8_000
/** How long after a row's COMMIT it is found when nobody told of it. */
const pollMs = 500
const beatMs = 1_000
const challengeMs = 300
const reconnectMs = 500
const failurePauseMs = 1_000

export interface RelayOptions {
  readonly config: Config
  readonly log: Logger
  readonly alerts: Alerts
  readonly fanOuts: readonly FanOut[]
}

export interface Relay {
  /** Ends after the batch under way; another worker takes over at once. */
  stop(): Promise<void>
}

/**
 * Numbers the ledger as its transactions end, wherever it leads: of all workers one does, and the others wait to take
 * over. Connects, and connects again, for as long as it is not stopped.
 */
export function startRelay(options: RelayOptions): Relay {
  const relay = { ...options, name: `${os.hostname()}:${process.pid}`, bell: createBell(), stopped: false }
  const running = run(relay)
  return {
    async stop() {
      relay.stopped = true
      relay.bell.ring()
      await running
    },
  }
}

interface Running extends RelayOptions {
  /** Who leads, for people. */
  readonly name: string
  /** Rung when there is something to do: rows to number, or an end. */
  readonly bell: Bell
  stopped: boolean
}

async function run(relay: Running): Promise<void> {
  while (!relay.stopped) {
    try {
      await relayOnce(relay)
    } catch (error) {
      if (!relay.stopped) relay.log.warn({ err: error }, 'relay lost its database connection')
    }
    if (!relay.stopped) await relay.bell.wait(reconnectMs)
  }
}

/** From one connection to its end. */
async function relayOnce(relay: Running): Promise<void> {
  const connection = await connectDirectly({ ...relay, applicationName: 'purser-relay', statementTimeoutMs })
  connection.ended.then(() => relay.bell.ring())
  try {
    while (!relay.stopped && !(await tryToLead(connection, relay.log))) await relay.bell.wait(challengeMs)
    if (!relay.stopped) await lead(relay, connection)
  } finally {
    await connection.close()
  }
}

async function lead(relay: Running, connection: DirectConnection): Promise<void> {
  const { log, fanOuts, bell } = relay
  const pulse = createPulse(relay, connection)
  await pulse()
  log.info({ leader: relay.name }, 'relay leads')
  await connection.listen(ledgerChannel, () => bell.ring())
  const pause = async (): Promise<void> => {
    if (relay.stopped) throw new Error('the relay is stopping')
    await pulse()
  }
  await adoptLedger({ connection, fanOuts, log, pause })
  let expected: readonly string[] = []
  while (!relay.stopped) {
    const started = performance.now()
    const rows = await relayNext(relay, connection, expected)
    if (rows?.length) expected = organizationsOf(rows).slice(0, mostExpected)
    await pulse()
    if (rows === null || rows.length < batchSize) {
      await bell.wait(rows === null ? failurePauseMs : pollMs)
      await restSince(started, batchRestMs)
    }
  }
}

/** Rows of the next batch; null when it failed, as one whose fan-out fails does, on a connection that is still good. */
async function relayNext(
  { log, fanOuts }: Running,
  connection: DirectConnection,
  expected: readonly string[],
): Promise<readonly FoundRow[] | null> {
  try {
    return await relayBatch({
      connection,
      fanOuts,
      log,
      read: (db) => readFinished(db, batchSize),
      reach: 'hour',
      expected,
      finish: movePosition,
    })
  } catch (error) {
    if (connection.isEnded()) throw error
    log.error({ err: error }, 'relay: a batch failed and is tried again')
    return null
  }
}

/** Beats when it is time, and raises the alarm when rows have waited for too long. */
function createPulse({ name, alerts, config }: Running, connection: DirectConnection): () => Promise<void> {
  const alarm = createLagAlarm(alerts, config)
  let last = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - last < beatMs) return
    alarm(await asRelay(connection, (db) => beat(db, name)))
    last = performance.now()
  }
}
