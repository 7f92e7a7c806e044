import { commandDeadLetters } from '#features/jobs/index.ts'
import { loadConfig } from '#platform/config.ts'
import { failToStart } from '#platform/lifecycle.ts'
import { createRuntime } from './runtime.ts'

/** For the operator: dead letters of all organizations and of the service itself, which no tenant sees. */
async function main(command: readonly string[]): Promise<void> {
  const runtime = createRuntime(loadConfig({ ...process.env, LOG_LEVEL: 'error' }), { process: 'worker' })
  const lines = await commandDeadLetters(runtime.unitOfWork, command)
  for (const line of lines) process.stdout.write(`${line}\n`)
  await runtime.database.close()
}

main(process.argv.slice(2)).catch(failToStart)
