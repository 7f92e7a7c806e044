import type pg from 'pg'
import { expireOrderJob } from '#features/order-changes/index.ts'
import { idOfUuid, newId, uuidOfId } from '#platform/id.ts'
import { systemOrigin } from '#platform/work.ts'
import type { Runtime } from '../runtime.ts'

export const sampleJobName = expireOrderJob.name

/** Adds a job of an organization that nobody works off here; returns its id. */
export async function queueJob({ unitOfWork, log, jobs }: Runtime, organizationId: string): Promise<string> {
  const orderId = newId('ord')
  const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_queued', traceparent: null, log })
  await unitOfWork.write(origin, (work) => work.enqueue(expireOrderJob, { organizationId, orderId }))
  const [job] = await jobs.boss.findJobs(sampleJobName, { key: orderId, queued: true })
  return idOfUuid('job', job?.id ?? '')
}

/** Lets its last attempt fail. */
export async function letDie(runtime: Runtime, db: pg.Pool, id: string, name = sampleJobName): Promise<void> {
  const uuid = uuidOfId(id)
  await db.query(
    `update pgboss.job set state = 'active', retry_count = retry_limit, started_on = now(), heartbeat_on = now() where id = $1`,
    [uuid],
  )
  await runtime.jobs.boss.fail(name, uuid, { code: 'ORDER_NOT_FOUND', message: 'There is no such order' })
}
