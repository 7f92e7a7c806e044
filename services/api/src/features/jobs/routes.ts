import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import type { JobQueue } from '#platform/jobs.ts'
import { cancelJob, redriveDeadLetter, redriveDeadLetters, retryJob } from './change-jobs.ts'
import { DeadLetterNotFound, JobNotDead, JobNotFound, JobOver } from './problems.ts'
import { getJob, listDeadLetters, listJobs } from './read-jobs.ts'
import { DeadLetter, deadLetterFilter, Job, JobParams, jobFilter, RedriveAll, Redriven } from './schemas.ts'

export function jobRoutes(app: FastifyInstance, { jobs }: { readonly jobs: Pick<JobQueue, 'giveUp'> }): void {
  app.route(
    list({
      id: 'jobs.list',
      summary: 'List background jobs, newest first',
      description: 'Jobs of the organization. Those that have ended are kept for a week.',
      url: '/v1/jobs',
      scope: 'jobs:read',
      filter: jobFilter,
      item: Job,
      problems: [],
      handle: (view, { filter, page }) => listJobs(view, filter, page),
    }),
  )
  app.route(
    query({
      id: 'jobs.get',
      summary: 'Read a background job',
      url: '/v1/jobs/:jobId',
      scope: 'jobs:read',
      params: JobParams,
      returns: Job,
      problems: [JobNotFound],
      handle: (view, { params }) => getJob(view, params.jobId),
    }),
  )
  app.route(
    command({
      id: 'jobs.retry',
      summary: 'Run a dead job again',
      description: 'It gets as many attempts as a new job, and its dead letter is gone.',
      method: 'POST',
      url: '/v1/jobs/:jobId/retry',
      status: 200,
      scope: 'jobs:write',
      idempotency: 'optional',
      params: JobParams,
      returns: Job,
      problems: [JobNotFound, JobNotDead],
      handle: (work, { params }) => retryJob(work, params.jobId),
    }),
  )
  app.route(
    command({
      id: 'jobs.cancel',
      summary: 'Cancel a job',
      description:
        'One that waits never starts. One at work is told to stop within seconds; what it has done by then stands.',
      method: 'POST',
      url: '/v1/jobs/:jobId/cancel',
      status: 200,
      scope: 'jobs:write',
      idempotency: 'optional',
      params: JobParams,
      returns: Job,
      problems: [JobNotFound, JobOver],
      handle: (work, { params }) => cancelJob(work, params.jobId, jobs),
    }),
  )
  app.route(
    list({
      id: 'deadLetters.list',
      summary: 'List dead letters, newest first',
      description: 'Jobs whose attempts have all failed. They are kept for 30 days.',
      url: '/v1/dead-letters',
      scope: 'jobs:read',
      filter: deadLetterFilter,
      item: DeadLetter,
      problems: [],
      handle: (view, { filter, page }) => listDeadLetters(view, filter, page),
    }),
  )
  app.route(
    command({
      id: 'deadLetters.redrive',
      summary: 'Run the job of a dead letter again',
      description: 'Also when the job itself is no longer kept. It runs under its old id.',
      method: 'POST',
      url: '/v1/dead-letters/:jobId/redrive',
      status: 200,
      scope: 'jobs:write',
      idempotency: 'optional',
      params: JobParams,
      returns: Job,
      problems: [DeadLetterNotFound],
      handle: (work, { params }) => redriveDeadLetter(work, params.jobId),
    }),
  )
  app.route(
    command({
      id: 'deadLetters.redriveAll',
      summary: 'Run all dead jobs of a name again',
      description: 'The longest dead first, at most 500 per request.',
      method: 'POST',
      url: '/v1/dead-letters/redrive',
      status: 200,
      scope: 'jobs:write',
      idempotency: 'optional',
      body: RedriveAll,
      returns: Redriven,
      problems: [],
      handle: (work, { body }) => redriveDeadLetters(work, body),
    }),
  )
}
