import type { Static } from '@sinclair/typebox'
import { DeadLetter, Job } from '#features/jobs/index.ts'
import { type Definitions, define } from './definition.ts'

const at = '2026-01-15T09:30:00.000Z'
const common = {
  id: 'job_01jd0000000000000000000001',
  name: 'orders.expire',
  payload: [{ name: 'orderId', value: 'ord_01jd0000000000000000000001' }],
  attempts: 3,
  failure: { code: 'TIMED_OUT', message: 'it ran longer than 300 s' },
  requestId: 'req_01jd0000000000000000000001',
  createdAt: at,
}
const letter: Static<typeof DeadLetter> = { ...common, diedAt: at }
const job: Static<typeof Job> = {
  ...common,
  state: 'retrying',
  maxAttempts: 6,
  dueAt: at,
  startedAt: at,
  endedAt: null,
}
const sample = { resourceId: common.id, changed: ['state'] }

export const jobEvents: Definitions<'job'> = {
  'job.dead': define('job', 'All attempts of a background job have failed', DeadLetter, {
    ...sample,
    version: 3,
    data: letter,
  }),
  'job.retried': define('job', 'A dead job runs again', Job, { ...sample, version: 4, data: job }),
  'job.cancelled': define('job', 'A background job was cancelled', Job, {
    ...sample,
    version: 1,
    data: { ...job, state: 'cancelled', attempts: 0, maxAttempts: 3, failure: null, startedAt: null, endedAt: at },
  }),
}
