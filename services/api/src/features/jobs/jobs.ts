import { newId } from '#platform/id.ts'
import type { Logger } from '#platform/logger.ts'
import { systemOrigin, type UnitOfWork } from '#platform/work.ts'
import { selectUntold } from './repository.ts'
import { type Told, tellDeath, tellOwnDeath, type Untold } from './tell-deaths.ts'

export interface DeathWatchOptions extends Told {
  readonly log: Logger
  readonly unitOfWork: UnitOfWork
  /** Between two looks at the dead letters. */
  readonly intervalMs?: number
}

const batchSize = 100

/**
 * Looks for dead letters nobody was told of, whoever left them: an attempt that threw, or the supervision of the queue
 * after a worker was killed. Every worker watches; a mark on the letter makes it be told once. No job does this: it has
 * to work when jobs do not.
 */
export function watchDeaths({ intervalMs = 2_000, ...options }: DeathWatchOptions): { stop(): Promise<void> } {
  let [stopping, isLooking] = [false, false]
  let looking = Promise.resolve()
  async function look(): Promise<void> {
    isLooking = true
    try {
      for (let found = batchSize; found === batchSize && !stopping; ) found = await tellUntold(options)
    } catch (error) {
      options.log.warn({ err: error }, 'dead letters could not be looked for')
    }
    isLooking = false
  }
  const timer = setInterval(() => {
    if (!isLooking) looking = look()
  }, intervalMs)
  return {
    async stop() {
      stopping = true
      clearInterval(timer)
      await looking
    },
  }
}

/** Returns how many were found. */
async function tellUntold({ log, unitOfWork, ...told }: DeathWatchOptions): Promise<number> {
  const letters = await unitOfWork.sweep((db) => selectUntold(db, batchSize))
  for (const letter of letters) await tell(letter)
  return letters.length

  async function tell(letter: Untold): Promise<void> {
    if (letter.group_id === null) return unitOfWork.sweep((db) => tellOwnDeath(db, told.alerts, letter))
    const from = { organizationId: letter.group_id, name: 'jobs', requestId: newId('req'), traceparent: null, log }
    return unitOfWork.write(systemOrigin(from), (work) => tellDeath(work, told, letter))
  }
}
