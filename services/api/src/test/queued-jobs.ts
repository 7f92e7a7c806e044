import type pg from 'pg'
import { watchDeaths } from '#features/jobs/index.ts'
import { expireOrderJob } from '#features/order-changes/index.ts'
import { idOfUuid, newId, uuidOfId } from '#platform/id.ts'
import { systemOrigin } from '#platform/work.ts'
import type { Runtime } from '../runtime.ts'
import { until } from './until.ts'

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

/** Id of the newest job of a queue, whatever its state. */
export async function newestJob(db: pg.Pool, name: string): Promise<string> {
  const { rows } = await db.query('select id from pgboss.job where name = $1 order by created_on desc limit 1', [name])
  return idOfUuid('job', rows[0].id)
}

/** Lets the worker that makes its last attempt be killed: nothing is heard of it any more. */
export async function letWorkerBeLost({ jobs }: Runtime, db: pg.Pool, id: string, name: string): Promise<void> {
  await db.query(
    `update pgboss.job set state = 'active', retry_count = retry_limit, started_on = now() - interval '2 minutes',
      heartbeat_on = now() - interval '1 minute' where id = $1`,
    [uuidOfId(id)],
  )
  await jobs.boss.supervise(name)
}

/** Has every dead letter told of that nobody was told of. */
export async function tellDeaths(runtime: Runtime, db: pg.Pool): Promise<void> {
  const watch = watchDeaths({ ...runtime, intervalMs: 20 })
  await until('all are told', async () => (await untold(db)) === 0)
  await watch.stop()
}

export const untold = async (db: pg.Pool): Promise<number | null> =>
  (await db.query('select 1 from pgboss.job where source_id is not null and started_on is null')).rowCount
