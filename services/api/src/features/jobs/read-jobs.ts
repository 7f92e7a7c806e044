import { uuidOfId } from '#platform/id.ts'
import { type Page, type PageRequest, toPage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { presentDeadLetter, presentJob, queueStates } from './present.ts'
import { JobNotFound } from './problems.ts'
import { type JobRow, selectDeadLetters, selectJob, selectJobs } from './repository.ts'
import { type DeadLetter, type DeadLetterFilter, type Job, type JobFilter, jobStates } from './schemas.ts'

const positionOf = ({ position, id }: JobRow) => [position, id]

export async function getJob(view: View, jobId: string): Promise<Job> {
  return presentJob(await findJob(view, jobId))
}

/** @throws JobNotFound also for a job of another organization. */
export async function findJob(view: View, jobId: string): Promise<JobRow> {
  const row = await selectJob(view, uuidOfId(jobId))
  if (!row) throw new JobNotFound()
  return row
}

export async function listJobs(view: View, filter: JobFilter, page: PageRequest): Promise<Page<Job>> {
  const { name = null, state = jobStates, createdFrom: from, createdTo: to } = filter
  const states = [...new Set(state)].map((one) => queueStates[one])
  return toPage(await selectJobs(view, { name, states, from, to }, page), page, positionOf, presentJob)
}

export async function listDeadLetters(
  view: View,
  filter: DeadLetterFilter,
  page: PageRequest,
): Promise<Page<DeadLetter>> {
  return toPage(await selectDeadLetters(view, filter.name ?? null, page), page, positionOf, presentDeadLetter)
}
