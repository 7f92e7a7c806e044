import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { migrateUp, readMigrations } from '../services/api/src/platform/migrations.ts'
import { createRuntime } from '../services/api/src/runtime.ts'
import { temporaryCluster } from '../services/api/src/start/temporary-cluster.ts'
import { testConfig } from '../services/api/src/test/config.ts'
import { groupsOf, writeGroups } from './grouped/groups.ts'
import { binOf, root, run } from './run.ts'
import { condense, type TapSum } from './tap-output.ts'
import { testFolder } from './test-folder.ts'

const template = 'purser_template'
const tapProgram = binOf('tap')

/**
 * Every file loads the same modules: stripped and compiled once, they cost each process a third less to load. Nor need
 * tap note each of them and look for its source map, which only `tap --changed` and coverage make use of.
 */
const cheapModules = {
  NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/purser'),
  _TAPJS_PROCESSINFO_EXCLUDE_: '/./',
}

/** `npm test [-- files or tap options]`: one PostgreSQL, one migrated template database, then tap. */
let isInterrupted = false
let tap: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    isInterrupted = true
    tap?.kill(signal)
  })
const folder = await testFolder(process.argv)
process.env.TMPDIR = folder
const given = process.env.TEST_DATABASE_URL
const cluster = given === undefined || given === '' ? await temporaryCluster() : undefined
const adminUrl = cluster?.url('postgres') ?? given ?? ''
const tapOutput = path.join(folder, 'output.tap')
try {
  await prepareTemplate(adminUrl)
  if (isInterrupted) throw new Error('interrupted')
  await buildTap()
  const { code, sum } = await runTap(process.argv.slice(2))
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''
  process.stdout.write(`${sum.passed} passed, ${sum.failed} failed${skipped}\n`)
  process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : code
} catch (error) {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

/** Nobody may connect to the finished template: `create database … template` fails while a session is on it. */
async function prepareTemplate(url: string): Promise<void> {
  await query(url, [
    `update pg_database set datistemplate = false where datname = '${template}'`,
    `drop database if exists ${template} with (force)`,
    `create database ${template} template template0 encoding 'UTF8' locale 'C'`,
  ])
  const client = new pg.Client({ connectionString: databaseUrl(url, template) })
  await client.connect()
  try {
    await migrateUp(client, await readMigrations())
  } finally {
    await client.end()
  }
  await registerQueues(databaseUrl(url, template))
  await query(url, [`alter database ${template} with is_template true allow_connections false`])
}

/** Every process of the service registers the queues that it does not find. */
async function registerQueues(url: string): Promise<void> {
  const { jobs } = createRuntime(testConfig(url), { process: 'server' })
  await jobs.start()
  await jobs.stop()
}

async function query(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

function databaseUrl(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

/**
 * As installed, tap compiles TypeScript itself, which costs each test file a second and 400 MB. Its test class is built
 * once without that plugin, as .taprc says; Node strips the types.
 */
async function buildTap(): Promise<void> {
  const built = path.join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js')
  if (!(await readFile(built, 'utf8')).includes('@tapjs/typescript')) return
  const { code, output } = await run(process.execPath, [tapProgram, 'build'])
  if (code !== 0) throw new Error(`tap build: ${output.trim()}`)
}

/** On a terminal tap draws its own report; elsewhere its raw output is condensed to files and failures. */
async function runTap(options: readonly string[]): Promise<{ code: number; sum: TapSum }> {
  const isTerminal = process.stdout.isTTY
  const report = isTerminal ? ['--reporter=base', `--output-file=${tapOutput}`] : ['--reporter=tap']
  const programs = await groupPrograms(options)
  const child = spawn(process.execPath, [tapProgram, 'run', ...report, ...options, ...programs], {
    cwd: root,
    stdio: ['inherit', isTerminal ? 'inherit' : 'pipe', 'inherit'],
    env: { ...process.env, ...cheapModules, TEST_POSTGRES_URL: adminUrl, TEST_TEMPLATE: template },
  })
  tap = child
  const ended = once(child, 'exit')
  const live = child.stdout === null ? undefined : condense(child.stdout, (line) => process.stdout.write(`${line}\n`))
  const [code] = (await ended) as [number | null]
  return { code: code ?? 1, sum: await (live ?? condense(createReadStream(tapOutput), () => undefined)) }
}

/** Files given by path have a process of their own each; all files together run in groups. */
async function groupPrograms(options: readonly string[]): Promise<readonly string[]> {
  if (options.some((option) => !option.startsWith('-'))) return []
  const { code, output } = await run(process.execPath, [tapProgram, 'list', ...options])
  if (code !== 0) throw new Error(`tap list: ${output.trim()}`)
  return writeGroups(await groupsOf(output.trim().split('\n')))
}
