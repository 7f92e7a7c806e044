import { Type } from '@sinclair/typebox'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { deleteDeliveries, deleteSecrets, rollAttempts } from './retention/repository.ts'

const batchSize = 5_000
const day = 86_400_000

/** Drops attempts by the month, deliveries in batches, and secrets that sign no longer. */
export const forgetDeliveries = defineJob({
  name: 'webhooks.forgetOld',
  payload: Type.Object({}),
  schedule: '23 3 * * *',
  async run({ sweep, config, now, signal, log }) {
    const oldest = new Date(now.getTime() - config.WEBHOOK_RETENTION_DAYS * day)
    const partitions = await sweep((db) => rollAttempts(db, oldest))
    const secrets = await sweep((db) => deleteSecrets(db, new Date(now.getTime() - day)))
    let deliveries = 0
    for (let last = batchSize; last === batchSize && !signal.aborted; deliveries += last)
      last = await sweep((db) => deleteDeliveries(db, oldest, batchSize))
    log.info({ deliveries, secrets, partitions }, 'old webhook deliveries forgotten')
  },
})

export const webhookDeliveryJobs: readonly AnyJob[] = [forgetDeliveries]
