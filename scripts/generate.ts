import { generateEnvExample } from './generate/env-example.ts'
import { generateOperations } from './generate/operations.ts'
import { generateTables } from './generate/tables.ts'
import { runNode } from './run.ts'

/** `npm run generate`: every file that follows from another, in the order in which they follow. */
const steps: readonly (readonly [string, () => Promise<void>])[] = [
  ['services/api/src/platform/tables.gen.ts', generateTables],
  ['.env.example', generateEnvExample],
  ['openapi/openapi.json', () => script('services/api/src/openapi-document.ts')],
  ['sdk/src/generated', () => script('sdk/generate/index.ts')],
  ['README.md, operations', generateOperations],
]

for (const [product, generate] of steps) {
  const startedAt = performance.now()
  try {
    await generate()
    process.stdout.write(`${product} (${Math.round(performance.now() - startedAt)} ms)\n`)
  } catch (error) {
    process.stderr.write(`generate: ${product}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}

async function script(file: string): Promise<void> {
  const { code, output } = await runNode(file)
  if (code !== 0) throw new Error(output.trim() || `exit code ${code}`)
}
