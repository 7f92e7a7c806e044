import { uuidOfId } from '#platform/id.ts'
import type { JobQueue } from '#platform/jobs.ts'
import type { EventType } from '#platform/ledger.ts'
import type { Work } from '#platform/work.ts'
import { attemptsOf, presentJob } from './present.ts'
import { DeadLetterNotFound, JobNotDead, JobOver } from './problems.ts'
import { findJob } from './read-jobs.ts'
import { cancelJob as cancelRow, type JobRow, reviveJobs, selectDeadJobIds } from './repository.ts'
import type { Job, RedriveAll, Redriven } from './schemas.ts'

/** Most dead letters that one request takes out. */
const mostRedriven = 500

/** Lets a dead job run again, and takes its dead letter out: it would run twice when that is redriven. */
export async function retryJob(work: Work, jobId: string): Promise<Job> {
  const found = await findJob(work, jobId)
  if (found.state !== 'failed') throw new JobNotDead()
  const [revived] = await reviveJobs(work, [found.id])
  if (!revived) throw new JobNotDead()
  return recorded(work, 'job.retried', revived)
}

/**
 * Ends a job that waits or is at work. The signal of one at work aborts within seconds, when its worker next beats; what
 * it has committed by then stands, and nothing repeats it.
 */
export async function cancelJob(work: Work, jobId: string, jobs: Pick<JobQueue, 'giveUp'>): Promise<Job> {
  const cancelled = await cancelRow(work, await findJob(work, jobId))
  if (!cancelled) throw new JobOver()
  const { name, data } = cancelled
  await jobs.giveUp(work, { name, payload: data?.payload }, { state: 'cancelled', failure: null })
  return recorded(work, 'job.cancelled', cancelled)
}

export async function redriveDeadLetter(work: Work, jobId: string): Promise<Job> {
  const [revived] = await reviveJobs(work, [uuidOfId(jobId)])
  if (!revived) throw new DeadLetterNotFound()
  return recorded(work, 'job.retried', revived)
}

export async function redriveDeadLetters(work: Work, { name }: RedriveAll): Promise<Redriven> {
  const dead = await selectDeadJobIds(work, name, mostRedriven + 1)
  const revived = await reviveJobs(work, dead.slice(0, mostRedriven))
  for (const row of revived) recorded(work, 'job.retried', row)
  return { redriven: revived.length, hasMore: dead.length > mostRedriven }
}

function recorded(work: Work, type: EventType, row: JobRow): Job {
  const job = presentJob(row)
  work.record({
    type,
    resource: { type: 'job', id: job.id, version: attemptsOf(row) + 1 },
    changed: ['state'],
    data: job,
  })
  return job
}
