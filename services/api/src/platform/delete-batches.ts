import type { Transaction } from './database.ts'
import type { JobContext } from './jobs.ts'

/** Deletes batches, each in a transaction of its own, until one is not full or the job has to end. Returns how many rows. */
export async function deleteInBatches(
  { sweep, signal }: Pick<JobContext, 'sweep' | 'signal'>,
  batchSize: number,
  deleteBatch: (db: Transaction, limit: number) => Promise<number>,
): Promise<number> {
  let deleted = 0
  for (let last = batchSize; last === batchSize && !signal.aborted; deleted += last)
    last = await sweep((db) => deleteBatch(db, batchSize))
  return deleted
}
