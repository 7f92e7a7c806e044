import { AppError } from '#platform/problem.ts'
import type { GroupRun, OnceOutcome, OnceRequest, UnitOfWork } from '#platform/work.ts'

export interface GroupLimits {
  /** Most requests in one transaction; 1 turns grouping off. */
  readonly maxSize: number
  /** Transactions of one organization at a time. */
  readonly maxInFlight: number
}

/** Shares transactions between concurrent requests of one organization. */
export type SubmitToGroup<I> = (request: OnceRequest<I>) => Promise<OnceOutcome>

/** So many requests begin a transaction beside one that runs; fewer wait for its end, but not for long. */
const enoughBeside = 8
const patienceMs = 15

interface Waiting<I> {
  readonly request: OnceRequest<I>
  /** By `performance.now()`. */
  readonly since: number
  readonly resolve: (outcome: OnceOutcome) => void
}

interface Queue<I> {
  readonly waiting: Waiting<I>[]
  inFlight: number
  /** When it is looked at next, unless a transaction ends before. */
  soon?: NodeJS.Immediate | undefined
  later?: NodeJS.Timeout | undefined
}

/**
 * A request that comes while no transaction of its organization runs starts at once, with those of the same moment; those
 * that come meanwhile leave together in the next one. A transaction costs more than a request in it: under load, fewer
 * and larger ones answer sooner. A group that fails is rolled back and its requests run one by one, so each gets the
 * answer it would have had alone.
 */
export function createGroups<I, X>(
  unitOfWork: UnitOfWork,
  limits: GroupLimits,
  group: GroupRun<I, X>,
): SubmitToGroup<I> {
  const queues = new Map<string, Queue<I>>()

  function start(organizationId: string, queue: Queue<I>): void {
    while (mayStart(queue, limits)) {
      const requests = queue.waiting.splice(0, limits.maxSize)
      queue.inFlight++
      void settle(unitOfWork, requests, group).finally(() => {
        queue.inFlight--
        start(organizationId, queue)
      })
    }
    if (queue.waiting.length > 0) startLater(organizationId, queue)
    else {
      clearImmediate(queue.soon)
      clearTimeout(queue.later)
      queue.soon = queue.later = undefined
      if (queue.inFlight === 0) queues.delete(organizationId)
    }
  }

  function startLater(organizationId: string, queue: Queue<I>): void {
    if (mayStart(queue, limits))
      queue.soon ??= setImmediate(() => {
        queue.soon = undefined
        start(organizationId, queue)
      })
    else if (queue.inFlight < limits.maxInFlight)
      queue.later ??= setTimeout(() => {
        queue.later = undefined
        start(organizationId, queue)
      }, patienceMs)
  }

  return (request) =>
    new Promise((resolve) => {
      const { organizationId } = request.origin.actor
      const queue = queues.get(organizationId) ?? { waiting: [], inFlight: 0 }
      queues.set(organizationId, queue)
      queue.waiting.push({ request, since: performance.now(), resolve })
      startLater(organizationId, queue)
    })
}

function mayStart({ waiting, inFlight }: Queue<unknown>, { maxSize, maxInFlight }: GroupLimits): boolean {
  const [oldest] = waiting
  if (oldest === undefined || inFlight >= maxInFlight) return false
  const isEnough = waiting.length >= Math.min(enoughBeside, maxSize)
  return inFlight === 0 || isEnough || performance.now() - oldest.since >= patienceMs
}

async function settle<I, X>(unitOfWork: UnitOfWork, requests: readonly Waiting<I>[], group: GroupRun<I, X>) {
  try {
    const outcomes = await unitOfWork.writeGroup(
      requests.map(({ request }) => request),
      group,
    )
    for (const [index, { resolve }] of requests.entries()) resolve(outcomes[index] as OnceOutcome)
  } catch (problem) {
    const isShared = requests.length === 1 || (problem instanceof AppError && problem.statusCode === 503)
    if (isShared) for (const { resolve } of requests) resolve({ problem })
    else for (const waiting of requests) await settle(unitOfWork, [waiting], group)
  }
}
