import type { DirectConnection } from '../direct-connection.ts'
import type { Logger } from '../logger.ts'
import { relayBatch } from './batch.ts'
import type { FanOut } from './fan-out.ts'
import { readVisible } from './rows.ts'
import { adoptCluster, asRelay, oldestWriter, readClusters } from './state.ts'

const rowsPerBatch = 1_000

export interface AdoptionOptions {
  readonly connection: DirectConnection
  readonly fanOuts: readonly FanOut[]
  readonly log: Logger
  /** Called between batches: a sign of life; throws to end the adoption. */
  pause(): Promise<void>
}

/**
 * Transaction ids belong to a cluster. In a database that was restored into another one (or has no position yet) every
 * row without an event counts as finished and is numbered first. The position then begins at the oldest transaction
 * that was under way before that; restored rows whose ids this cluster reaches later have an event and are passed over.
 * Interrupted, it begins anew.
 */
export async function adoptLedger({ connection, fanOuts, log, pause }: AdoptionOptions): Promise<void> {
  const { here, known } = await asRelay(connection, readClusters)
  if (here === known) return
  log.info({ cluster: here }, 'relay begins in this cluster')
  const oldest = await asRelay(connection, oldestWriter)
  const numbered = await numberVisible({ connection, fanOuts, log, pause })
  await asRelay(connection, (db) => adoptCluster(db, here, oldest))
  log.info({ cluster: here, numbered }, 'relay has numbered what this cluster came with')
}

/** Numbers every visible row that has no event, and returns how many there were. */
export async function numberVisible({ connection, fanOuts, log, pause }: AdoptionOptions): Promise<number> {
  let numbered = 0
  let position = { xid: '0', id: '' }
  for (let read = rowsPerBatch; read === rowsPerBatch; await pause()) {
    const rows = await relayBatch({
      connection,
      fanOuts,
      log,
      read: (db) => readVisible(db, rowsPerBatch, position),
      reach: 'all',
      expected: [],
    })
    position = rows.at(-1) ?? position
    numbered += rows.filter((row) => !row.numbered).length
    read = rows.length
  }
  return numbered
}
