import type { Alerts } from '#platform/alerts.ts'
import type { JobQueue } from '#platform/jobs.ts'
import type { Work } from '#platform/work.ts'
import { presentDeadLetter, unexplained } from './present.ts'
import { claimUntold, type DeadLetterRow } from './repository.ts'

export type Untold = Pick<DeadLetterRow, 'id' | 'name' | 'group_id'>

/** Who is told. */
export interface Told {
  readonly alerts: Alerts
  readonly jobs: Pick<JobQueue, 'giveUp'>
}

/**
 * Tells of a dead job of an organization: an alert, and an event that commits with the mark that it is told and with what
 * the job itself writes down of its end.
 */
export async function tellDeath(work: Work, { alerts, jobs }: Told, untold: Untold): Promise<void> {
  const letter = await claimUntold(work, untold)
  if (!letter) return
  raise(alerts, letter)
  const data = presentDeadLetter(letter)
  work.record({
    type: 'job.dead',
    resource: { type: 'job', id: data.id, version: data.attempts },
    changed: ['state'],
    data,
  })
  const job = { name: letter.source_name, payload: letter.data?.payload }
  await jobs.giveUp(work, job, { state: 'failed', failure: data.failure ?? unexplained })
}

/** The same for a job of the service itself, which no ledger knows of. */
export async function tellOwnDeath(db: Work['db'], alerts: Alerts, untold: Untold): Promise<void> {
  const letter = await claimUntold({ db }, untold)
  if (letter) raise(alerts, letter)
}

/** Before COMMIT: a process that dies in between has told once too often rather than never. */
function raise(alerts: Alerts, letter: DeadLetterRow): void {
  const { id, name, attempts, failure, requestId } = presentDeadLetter(letter)
  const message = 'a job is dead: all its attempts have failed'
  const ids = { jobId: id, jobName: name, organizationId: letter.group_id, requestId }
  alerts.raise({ alert: 'job.dead', message, ...ids, attempts, code: failure?.code ?? null })
}
