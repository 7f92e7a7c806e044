import type { Answer } from '#platform/idempotency.ts'
import { AppError } from '#platform/problem.ts'
import type { OnceItem, OnceOutcome, OnceRequest, UnitOfWork } from '#platform/work.ts'

export interface GroupLimits {
  /** Most requests in one transaction; 1 turns grouping off. */
  readonly maxSize: number
  /** Transactions of one organization at a time. */
  readonly maxInFlight: number
}

/** Shares transactions between concurrent requests of one organization. */
export type SubmitToGroup<I> = (request: OnceRequest<I>) => Promise<OnceOutcome>

interface Waiting<I> {
  readonly request: OnceRequest<I>
  readonly resolve: (outcome: OnceOutcome) => void
}

interface Queue<I> {
  readonly waiting: Waiting<I>[]
  inFlight: number
}

/**
 * A request starts at once while fewer than `maxInFlight` transactions of its organization run; those that come
 * meanwhile leave together in the next one. A group that fails is rolled back and its requests run one by one, so each
 * gets the answer it would have had alone.
 */
export function createGroups<I>(
  unitOfWork: UnitOfWork,
  { maxSize, maxInFlight }: GroupLimits,
  run: (items: readonly OnceItem<I>[]) => Promise<Answer[]>,
): SubmitToGroup<I> {
  const queues = new Map<string, Queue<I>>()

  const pump = (organizationId: string, queue: Queue<I>): void => {
    while (queue.inFlight < maxInFlight && queue.waiting.length > 0) {
      const group = queue.waiting.splice(0, maxSize)
      queue.inFlight++
      void settle(unitOfWork, group, run).finally(() => {
        queue.inFlight--
        pump(organizationId, queue)
      })
    }
    if (queue.inFlight === 0) queues.delete(organizationId)
  }
  return (request) =>
    new Promise((resolve) => {
      const { organizationId } = request.origin.actor
      const queue = queues.get(organizationId) ?? { waiting: [], inFlight: 0 }
      queues.set(organizationId, queue)
      queue.waiting.push({ request, resolve })
      pump(organizationId, queue)
    })
}

type Run<I> = (items: readonly OnceItem<I>[]) => Promise<Answer[]>

async function settle<I>(unitOfWork: UnitOfWork, group: readonly Waiting<I>[], run: Run<I>): Promise<void> {
  try {
    const outcomes = await unitOfWork.writeGroup(
      group.map(({ request }) => request),
      run,
    )
    for (const [index, { resolve }] of group.entries()) resolve(outcomes[index] as OnceOutcome)
  } catch (problem) {
    const isShared = group.length === 1 || (problem instanceof AppError && problem.statusCode === 503)
    if (isShared) for (const { resolve } of group) resolve({ problem })
    else for (const waiting of group) await settle(unitOfWork, [waiting], run)
  }
}
