import { loadConfig } from '#platform/config.ts'
import { rotateColumn } from '#platform/encryption-rotation.ts'
import { failToStart } from '#platform/lifecycle.ts'
import { createRuntime, encryptedColumns } from './runtime.ts'

/** Encrypts every stored secret with the first key of ENCRYPTION_KEY; exit code 1 when some were opened by none. */
async function main(): Promise<void> {
  const config = loadConfig(process.env)
  if (config.DATABASE_URL === '') throw new Error('DATABASE_URL is not set')
  const runtime = createRuntime(config, { process: 'worker' })
  for (const column of encryptedColumns) {
    const rotated = await rotateColumn(runtime, column)
    process.stdout.write(`${JSON.stringify({ ...column, ...rotated })}\n`)
    if (rotated.unopened > 0) process.exitCode = 1
  }
  await runtime.database.close()
}

main().catch(failToStart)
