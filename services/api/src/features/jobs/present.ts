import { idOfUuid } from '#platform/id.ts'
import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { DeadLetterRow, JobRow } from './repository.ts'
import type { DeadLetter, Job, JobState } from './schemas.ts'

/** Names of states on the wire, and in the queue. */
export const queueStates = {
  waiting: 'created',
  retrying: 'retry',
  active: 'active',
  completed: 'completed',
  cancelled: 'cancelled',
  dead: 'failed',
} as const satisfies Record<JobState, JobRow['state']>

const wireStates = Object.fromEntries(Object.entries(queueStates).map(([wire, queue]) => [queue, wire])) as Record<
  JobRow['state'],
  JobState
>

export const presentJob = (row: JobRow): Job => ({
  id: idOfUuid('job', row.id),
  name: row.name,
  state: wireStates[row.state],
  payload: presentPayload(row),
  attempts: attemptsOf(row),
  maxAttempts: row.retry_limit + 1,
  failure: row.state === 'completed' ? null : presentFailure(row.output),
  requestId: row.data?.requestId ?? null,
  createdAt: timestamp(row.created_on),
  dueAt: timestamp(row.start_after),
  startedAt: timestampOrNull(row.started_on),
  endedAt: timestampOrNull(row.completed_on),
})

export const presentDeadLetter = (row: DeadLetterRow): DeadLetter => ({
  id: idOfUuid('job', row.source_id),
  name: row.source_name,
  payload: presentPayload(row),
  attempts: row.source_retry_count + 1,
  failure: presentFailure(row.output),
  requestId: row.data?.requestId ?? null,
  createdAt: timestamp(row.source_created_on),
  diedAt: timestamp(row.created_on),
})

/** Attempts that have begun: the queue counts those after the first. */
export const attemptsOf = (row: JobRow): number => (row.started_on === null ? 0 : row.retry_count + 1)

function presentPayload({ data }: JobRow): Job['payload'] {
  if (typeof data?.payload !== 'object' || data.payload === null) return []
  return Object.entries(data.payload)
    .filter(([name]) => name !== 'organizationId')
    .map(([name, value]) => ({ name, value: typeof value === 'string' ? value : JSON.stringify(value) }))
}

/** What the runner kept of an error, or what the queue says of a worker that was not heard of any more. */
function presentFailure(output: unknown): Job['failure'] {
  if (typeof output !== 'object' || output === null) return null
  const { code, message } = output as Record<string, unknown>
  if (typeof code === 'string' && typeof message === 'string') return { code, message: message.slice(0, 1_000) }
  const told = JSON.stringify(output)
  if (told.includes('heartbeat')) return { code: 'WORKER_LOST', message: 'its worker was not heard of any more' }
  if (told.includes('timed out')) return { code: 'TIMED_OUT', message: 'it ran too long' }
  return unexplained
}

export const unexplained = { code: 'INTERNAL_ERROR', message: 'it failed; the log has the reason under the request id' }
