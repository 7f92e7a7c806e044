import { Type } from '@sinclair/typebox'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { Id } from '#platform/wire.ts'
import { expireOrder } from './cancel-order.ts'
import { selectDueOrders } from './repository.ts'

const batchSize = 500

/** Ends one order whose time to pay is over. */
export const expireOrderJob = defineJob({
  name: 'orders.expire',
  payload: Type.Object({ organizationId: Id('org'), orderId: Id('ord') }, { additionalProperties: false }),
  key: ({ orderId }) => orderId,
  run: ({ tenant }, { organizationId, orderId }) => tenant(organizationId).write((work) => expireOrder(work, orderId)),
})

/** Finds due orders of all organizations, the longest due first, and leaves each to a job of its own. */
export const expireDueOrders = defineJob({
  name: 'orders.expireDue',
  payload: Type.Object({}),
  schedule: '* * * * *',
  async run({ sweep, tenant, now, log }) {
    const due = await sweep((db) => selectDueOrders(db, now, batchSize))
    for (const { organization_id: organizationId, id: orderId } of due)
      await tenant(organizationId).write((work) => work.enqueue(expireOrderJob, { organizationId, orderId }))
    if (due.length > 0) log.info({ due: due.length }, 'unpaid orders are due')
  },
})

export const orderJobs: readonly AnyJob[] = [expireDueOrders, expireOrderJob]
