import { connectDirectly } from '#platform/direct-connection.ts'
import { batchSize, relayBatch } from '#platform/relay/batch.ts'
import { readVisible } from '#platform/relay/rows.ts'
import { allFanOuts, type Runtime } from '../runtime.ts'

/**
 * Numbers every row that has no event yet, as the relay would, with its fan-outs, and returns how many. Unlike the relay
 * it does not wait for older transactions, which other tests may hold open in the same cluster.
 */
export async function relay({ runtime: { config, log } }: { readonly runtime: Pick<Runtime, 'config' | 'log'> }) {
  const connection = await connectDirectly({
    config,
    log,
    applicationName: 'purser-relay-test',
    statementTimeoutMs: config.WORKER_STATEMENT_TIMEOUT_MS,
  })
  let numbered = 0
  try {
    for (let position = { xid: '0', id: '' }, read = batchSize; read === batchSize; ) {
      const rows = await relayBatch({
        connection,
        fanOuts: allFanOuts,
        log,
        read: (db) => readVisible(db, batchSize, position),
        moves: false,
      })
      position = rows.at(-1) ?? position
      numbered += rows.filter((row) => !row.numbered).length
      read = rows.length
    }
  } finally {
    await connection.close()
  }
  return numbered
}
