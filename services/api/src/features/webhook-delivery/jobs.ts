import { Type } from '@sinclair/typebox'
import { deleteInBatches } from '#platform/delete-batches.ts'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { cancelRest, reviveRest } from './backlog.ts'
import { deleteDeliveries, deleteSecrets, rollAttempts } from './retention/repository.ts'

const batchSize = 5_000
const day = 86_400_000

/** Drops attempts by the month, deliveries in batches, and secrets that sign no longer. */
export const forgetDeliveries = defineJob({
  name: 'webhooks.forgetOld',
  payload: Type.Object({}),
  schedule: '23 3 * * *',
  async run(context) {
    const { sweep, config, now, log } = context
    const oldest = new Date(now.getTime() - config.WEBHOOK_RETENTION_DAYS * day)
    const partitions = await sweep((db) => rollAttempts(db, oldest))
    const secrets = await sweep((db) => deleteSecrets(db, new Date(now.getTime() - day)))
    const deliveries = await deleteInBatches(context, batchSize, (db, limit) => deleteDeliveries(db, oldest, limit))
    log.info({ deliveries, secrets, partitions }, 'old webhook deliveries forgotten')
  },
})

export const webhookDeliveryJobs: readonly AnyJob[] = [forgetDeliveries, reviveRest, cancelRest]
