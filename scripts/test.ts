import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { migrateUp, readMigrations } from '../services/api/src/platform/migrations.ts'
import { temporaryCluster } from '../services/api/src/start/temporary-cluster.ts'

const template = 'purser_template'
const root = fileURLToPath(new URL('../', import.meta.url))

/** `npm test [-- files or tap options]`: one PostgreSQL, one migrated template database, then tap. */
let isInterrupted = false
let tap: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    isInterrupted = true
    tap?.kill(signal)
  })
const given = process.env.TEST_DATABASE_URL
const cluster = given === undefined || given === '' ? await temporaryCluster() : undefined
const adminUrl = cluster?.url('postgres') ?? given ?? ''
const folder = await mkdtemp(path.join(os.tmpdir(), 'purser-test-'))
const tapOutput = path.join(folder, 'output.tap')
try {
  await prepareTemplate(adminUrl)
  if (isInterrupted) throw new Error('interrupted')
  process.exitCode = await runTap(process.argv.slice(2))
  const { passed, failed, skipped } = await counts(tapOutput)
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  if (failed > 0 || passed === 0) process.exitCode ||= 1
} catch (error) {
  process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
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
  await query(url, [`alter database ${template} with is_template true allow_connections false`])
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

/** Runs tap to its end; a signal to this process is passed on, so that the cluster is always stopped afterwards. */
function runTap(options: readonly string[]): Promise<number> {
  const program = createRequire(import.meta.url)
    .resolve('tap/package.json')
    .replace('package.json', 'dist/esm/run.mjs')
  const reporter = process.stdout.isTTY ? 'base' : 'terse'
  tap = spawn(process.execPath, [program, 'run', `--reporter=${reporter}`, `--output-file=${tapOutput}`, ...options], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_POSTGRES_URL: adminUrl, TEST_TEMPLATE: template },
  })
  const child = tap
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => resolve(code ?? 1))
  })
}

/** The sum that tap writes at the end of its output; without it the run did not come to its end. */
async function counts(file: string): Promise<{ passed: number; failed: number; skipped: number }> {
  const sum = /^# \{ total: \d+[^}]*\}$/gm.exec(await readFile(file, 'utf8').catch(() => ''))?.[0]
  if (sum === undefined) throw new Error('tap did not finish')
  const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(sum)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}
