import { uuidOfId } from '#platform/id.ts'
import type { UnitOfWork } from '#platform/work.ts'
import { presentDeadLetter } from './present.ts'
import { type DeadLetterRow, reviveAll, reviveOne, selectAllDeadLetters } from './repository.ts'

const usage = 'usage: dead-letters.ts list [<job name>] | redrive <job name> | redrive <job id>'
const mostListed = 100
const mostRedriven = 500

/** Does what the operator asks of the dead letters of all; answers the lines to print. */
export async function commandDeadLetters(
  unitOfWork: UnitOfWork,
  [command, what, ...rest]: readonly string[],
): Promise<readonly string[]> {
  const isUnderstood = command === 'list' || (command === 'redrive' && what !== undefined)
  if (!isUnderstood || rest.length > 0) throw new Error(usage)
  return command === 'list' ? list(unitOfWork, what) : [await redrive(unitOfWork, what ?? '')]
}

async function list(unitOfWork: UnitOfWork, name?: string): Promise<readonly string[]> {
  const letters = await unitOfWork.sweep((db) => selectAllDeadLetters(db, name ?? null, mostListed))
  return letters.length === 0 ? ['no dead letters'] : letters.map(lineOf)
}

function lineOf(letter: DeadLetterRow): string {
  const { id, name, diedAt, requestId, failure, payload } = presentDeadLetter(letter)
  return JSON.stringify({ id, name, diedAt, organizationId: letter.group_id, requestId, failure, payload })
}

async function redrive(unitOfWork: UnitOfWork, what: string): Promise<string> {
  const isId = /^job_[0-9a-z]{26}$/.test(what)
  let redriven = 0
  for (let last = mostRedriven; last === mostRedriven; redriven += last)
    last = (await unitOfWork.sweep((db) => (isId ? reviveOne(db, uuidOfId(what)) : reviveAll(db, what, mostRedriven))))
      .length
  return `${redriven} redriven`
}
