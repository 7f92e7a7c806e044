import { connectDirectly } from '#platform/direct-connection.ts'
import { numberVisible } from '#platform/relay/adoption.ts'
import type { Runtime } from '../runtime.ts'

/**
 * Numbers every row that has no event yet, as the relay would, with its fan-outs, and returns how many. Unlike the relay
 * it does not wait for older transactions, which other tests may hold open in the same cluster.
 */
export async function relay({ runtime }: { readonly runtime: Pick<Runtime, 'config' | 'log' | 'fanOuts'> }) {
  const { config, log, fanOuts } = runtime
  const connection = await connectDirectly({
    config,
    log,
    applicationName: 'purser-relay-test',
    statementTimeoutMs: config.WORKER_STATEMENT_TIMEOUT_MS,
  })
  try {
    return await numberVisible({ connection, fanOuts, log, pause: async () => {} })
  } finally {
    await connection.close()
  }
}
