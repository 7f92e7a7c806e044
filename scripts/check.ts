import { dependencyProblems } from './check/dependencies.ts'
import { documentProblems, owaspProblems } from './check/document.ts'
import { generationProblems } from './check/generated.ts'
import { secretProblems } from './check/secrets.ts'
import { binOf, runNode } from './run.ts'

const lanes = 2
const shownProblems = 60

interface Step {
  readonly name: string
  readonly problems: () => Promise<readonly string[]>
}

/** `npm run check`: whatever can be found out without running the tests. What reads generated files comes second. */
const waves: readonly (readonly Step[])[] = [
  [
    { name: 'generated files are up to date', problems: generationProblems },
    { name: 'the image holds what it should', problems: () => program('scripts/check-dockerfile.ts') },
    { name: 'no secret is committed', problems: secretProblems },
    { name: 'every dependency is explained', problems: dependencyProblems },
  ],
  [
    { name: 'types', problems: () => program(binOf('typescript', 'tsc'), ['--noEmit', '--project', 'tsconfig.json']) },
    {
      name: 'lint and format',
      problems: () => program(binOf('@biomejs/biome', 'biome'), ['check', '--error-on-warnings']),
    },
    { name: 'the OpenAPI document lints clean', problems: documentProblems },
    { name: 'the OpenAPI document keeps the OWASP rules', problems: owaspProblems },
    {
      name: 'no change of the contract breaks clients undeclared',
      problems: () => program('scripts/check-breaking.ts'),
    },
  ],
]

let passed = 0
let failed = 0
for (const wave of waves) {
  const open = [...wave]
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let step = open.shift(); step !== undefined; step = open.shift()) await report(step)
    }),
  )
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

async function report({ name, problems }: Step): Promise<void> {
  const startedAt = performance.now()
  const found = await problems().catch((error: unknown) => [error instanceof Error ? error.message : String(error)])
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  if (found.length === 0) passed += 1
  else failed += 1
  process.stdout.write(`${found.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`)
  const lines = found.join('\n').split('\n')
  for (const line of lines.slice(0, found.length === 0 ? 0 : shownProblems)) process.stdout.write(`         ${line}\n`)
  if (lines.length > shownProblems) process.stdout.write(`         … and ${lines.length - shownProblems} more lines\n`)
}

async function program(script: string, args: readonly string[] = []): Promise<readonly string[]> {
  const { code, output } = await runNode(script, args)
  return code === 0 ? [] : [output.trim() || `exit code ${code}`]
}
