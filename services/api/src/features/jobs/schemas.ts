import { type Static, type TObject, Type } from '@sinclair/typebox'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, RequestId, Text, Timestamp } from '#platform/wire.ts'

export const jobStates = ['waiting', 'retrying', 'active', 'completed', 'cancelled', 'dead'] as const
export type JobState = (typeof jobStates)[number]

const State = OneOf(jobStates, {
  description:
    'waiting: for its first attempt; retrying: for its next one; active: at work; dead: all its attempts have failed',
})
const JobName = Text(100, { pattern: '^[A-Za-z][A-Za-z0-9.]*$', description: 'What is done, e.g. orders.expire' })
const Attempts = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })
export const Failure = Type.Object(
  {
    code: Text(64, { description: 'TIMED_OUT, WORKER_LOST, INTERNAL_ERROR or the code of a problem' }),
    message: Type.String({ maxLength: 1_000 }),
  },
  closed,
)
const Payload = Type.Array(Type.Object({ name: Text(64), value: Type.String({ maxLength: 1_000 }) }, closed), {
  maxItems: 50,
  description: 'What the job works on: ids and numbers, no personal data',
})

export const Job = component(
  'Job',
  Type.Object(
    {
      id: Id('job'),
      name: JobName,
      state: State,
      payload: Payload,
      attempts: Attempts,
      maxAttempts: Attempts,
      failure: Nullable(Failure),
      requestId: Nullable(RequestId),
      createdAt: Timestamp,
      dueAt: Timestamp,
      startedAt: Nullable(Timestamp),
      endedAt: Nullable(Timestamp),
    },
    closed,
  ),
)
export type Job = Static<typeof Job>

export const DeadLetter = component(
  'DeadLetter',
  Type.Object(
    {
      id: Id('job', 'Of the job that died'),
      name: JobName,
      payload: Payload,
      attempts: Attempts,
      failure: Nullable(Failure),
      requestId: Nullable(RequestId),
      createdAt: Timestamp,
      diedAt: Timestamp,
    },
    closed,
  ),
)
export type DeadLetter = Static<typeof DeadLetter>

export const RedriveAll = component(
  'RedriveAll',
  Type.Object({ name: JobName }, { ...closed, examples: [{ name: 'orders.expire' }] }),
)
export type RedriveAll = Static<typeof RedriveAll>

export const Redriven = component(
  'Redriven',
  Type.Object(
    {
      redriven: Type.Integer({ minimum: 0, maximum: 500 }),
      hasMore: Type.Boolean({ description: 'True: send the request again for the rest' }),
    },
    closed,
  ),
)
export type Redriven = Static<typeof Redriven>

export const JobParams = Type.Object({ jobId: Id('job') }, closed)

export const jobFilter = {
  name: Type.Optional(JobName),
  state: Type.Optional(Type.Array(OneOf(jobStates), { maxItems: jobStates.length })),
  createdFrom: Type.Optional(Timestamp),
  createdTo: Type.Optional(Timestamp),
}
export type JobFilter = Static<TObject<typeof jobFilter>>

export const deadLetterFilter = { name: Type.Optional(JobName) }
export type DeadLetterFilter = Static<TObject<typeof deadLetterFilter>>
