import {
  type DeadLetterRow,
  presentDeadLetter,
  reviveAll,
  reviveOne,
  selectAllDeadLetters,
} from '#features/jobs/index.ts'
import { loadConfig } from '#platform/config.ts'
import { uuidOfId } from '#platform/id.ts'
import { failToStart } from '#platform/lifecycle.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const usage = 'usage: dead-letters.ts list [<job name>] | redrive <job name> | redrive <job id>'
const mostListed = 100
const mostRedriven = 500

/** For the operator: dead letters of all organizations and of the service itself, which no tenant sees. */
async function main([command, what, ...rest]: readonly string[]): Promise<void> {
  const runtime = createRuntime(loadConfig({ ...process.env, LOG_LEVEL: 'error' }), { process: 'worker' })
  const isUnderstood = command === 'list' || (command === 'redrive' && what !== undefined)
  if (!isUnderstood || rest.length > 0) throw new Error(usage)
  const lines = command === 'list' ? await list(runtime, what) : [await redrive(runtime, what ?? '')]
  for (const line of lines) process.stdout.write(`${line}\n`)
  await runtime.database.close()
}

async function list({ unitOfWork }: Runtime, name?: string): Promise<readonly string[]> {
  const letters = await unitOfWork.sweep((db) => selectAllDeadLetters(db, name ?? null, mostListed))
  return letters.length === 0 ? ['no dead letters'] : letters.map(lineOf)
}

function lineOf(letter: DeadLetterRow): string {
  const { id, name, diedAt, requestId, failure, payload } = presentDeadLetter(letter)
  return JSON.stringify({ id, name, diedAt, organizationId: letter.group_id, requestId, failure, payload })
}

async function redrive({ unitOfWork }: Runtime, what: string): Promise<string> {
  const isId = /^job_[0-9a-z]{26}$/.test(what)
  let redriven = 0
  for (let last = mostRedriven; last === mostRedriven; redriven += last)
    last = (await unitOfWork.sweep((db) => (isId ? reviveOne(db, uuidOfId(what)) : reviveAll(db, what, mostRedriven))))
      .length
  return `${redriven} redriven`
}

main(process.argv.slice(2)).catch(failToStart)
