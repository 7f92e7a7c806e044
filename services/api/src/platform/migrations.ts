import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { ClientBase } from 'pg'

const migrationsFolder = new URL('../../../../migrations/', import.meta.url)
const lockId = 7_309_453_172
const lockTimeoutMs = 10_000
const lockAttempts = 12

/** A pair of SQL files `NNNN_name.up.sql` and `NNNN_name.down.sql`. */
export interface Migration {
  readonly id: number
  /** `NNNN_name` */
  readonly name: string
  readonly up: string
  readonly down: string
  /** SHA-256 of the up file in hex, line ends normalised. */
  readonly checksum: string
}

export interface MigrationState {
  readonly name: string
  readonly appliedAt: Date | null
}

/** Why migrating stopped, in one line for the operator. The database is as it was before the named migration. */
export class MigrationError extends Error {}

/** Reads the migrations of a folder in order; refuses gaps, missing halves and files that end their transaction. */
export async function readMigrations(folder: URL = migrationsFolder): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql'))
  const stray = files.find((file) => !/^\d{4}_[a-z0-9_]+\.(up|down)\.sql$/.test(file))
  if (stray !== undefined) throw new MigrationError(`${stray} is not named NNNN_name.up.sql or NNNN_name.down.sql`)
  const names = [...new Set(files.map((file) => file.replace(/\.(up|down)\.sql$/, '')))].sort()
  const migrations = await Promise.all(names.map((name) => readMigration(folder, name)))
  migrations.forEach((migration, index) => {
    if (migration.id !== index + 1) throw new MigrationError(`expected migration ${index + 1}, found ${migration.name}`)
  })
  return migrations
}

/**
 * Applies what is not applied yet, each migration in its own transaction together with its row.
 * @returns the names applied now; empty when there was nothing to do.
 */
export function migrateUp(client: ClientBase, migrations: readonly Migration[]): Promise<readonly string[]> {
  return locked(client, async () => {
    const open = migrations.slice((await verifiedRows(client, migrations)).length)
    for (const migration of open)
      await step(client, `${migration.name}.up.sql`, migration.up, {
        text: 'insert into public.schema_migration (id, name, checksum) values ($1, $2, $3)',
        values: [migration.id, migration.name, migration.checksum],
      })
    return open.map((migration) => migration.name)
  })
}

/** Reverts the last `count` applied migrations, newest first, and returns their names. */
export function migrateDown(client: ClientBase, migrations: readonly Migration[], count: number) {
  return locked(client, async () => {
    const applied = migrations.slice(0, (await verifiedRows(client, migrations)).length)
    const reverted = applied.slice(Math.max(0, applied.length - count)).reverse()
    for (const migration of reverted)
      await step(client, `${migration.name}.down.sql`, migration.down, {
        text: 'delete from public.schema_migration where id = $1',
        values: [migration.id],
      })
    return reverted.map((migration) => migration.name)
  })
}

/** Every migration with the time it was applied, `null` while it is not. Changes nothing. */
export async function migrationStates(client: ClientBase, migrations: readonly Migration[]) {
  const rows = await appliedRows(client)
  refuseForeignRows(rows, migrations)
  return migrations.map(({ name }, index): MigrationState => ({ name, appliedAt: rows[index]?.applied_at ?? null }))
}

/** Names of the migrations that the database lacks. Any role may ask; a database ahead of this version lacks none. */
export async function pendingMigrations(client: Queryable, migrations?: readonly Migration[]) {
  const applied = new Set((await appliedRows(client)).map((row) => row.name))
  return (migrations ?? (await readMigrations())).map(({ name }) => name).filter((name) => !applied.has(name))
}

/** All that a question about the state needs; a pg client has it. */
export interface Queryable {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
}

interface AppliedRow {
  readonly name: string
  readonly checksum: string
  readonly applied_at: Date
}

async function readMigration(folder: URL, name: string): Promise<Migration> {
  const [up, down] = await Promise.all([readHalf(folder, `${name}.up.sql`), readHalf(folder, `${name}.down.sql`)])
  return { id: Number(name.slice(0, 4)), name, up, down, checksum: createHash('sha256').update(up).digest('hex') }
}

async function readHalf(folder: URL, file: string): Promise<string> {
  const sql = await readFile(new URL(file, folder), 'utf8').catch((cause: unknown) => {
    throw new MigrationError(`cannot read migrations/${file}`, { cause })
  })
  const text = sql.replaceAll('\r\n', '\n')
  if (/^\s*(begin|start transaction|commit|rollback|end)\s*;/im.test(withoutBodies(text)))
    throw new MigrationError(`${file} must leave BEGIN and COMMIT to the runner`)
  return text
}

const withoutBodies = (sql: string): string => sql.replace(/\$(\w*)\$.*?\$\1\$/gs, '')

/** Runs `work` while this session alone may migrate; others wait for it and then find nothing to do. */
async function locked<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await refuseUnfit(client)
  await client.query(`set statement_timeout = 0; set lock_timeout = ${lockTimeoutMs}`)
  await retryOnLock(() => client.query('select pg_advisory_lock($1)', [lockId]))
  try {
    await client.query(
      `create table if not exists public.schema_migration (
         id integer primary key,
         name text not null unique,
         checksum text not null,
         applied_at timestamptz(3) not null default now()
       );
       grant select on public.schema_migration to public`,
    )
    return await work()
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lockId]).catch(() => undefined)
  }
}

async function refuseUnfit(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: string; number: number; encoding: string }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
       current_setting('server_encoding') as encoding`,
  )
  const server = rows[0]
  if (server === undefined || server.number < 150_000)
    throw new MigrationError(`PostgreSQL 15 or later is needed, this is ${server?.version}`)
  if (server.encoding !== 'UTF8')
    throw new MigrationError(`the database's encoding must be UTF8, this one's is ${server.encoding}`)
}

async function appliedRows(client: Queryable): Promise<readonly AppliedRow[]> {
  const { rows: found } = await client.query(`select to_regclass('public.schema_migration') is not null as exists`)
  if ((found[0] as { exists: boolean } | undefined)?.exists !== true) return []
  const { rows } = await client.query('select name, checksum, applied_at from public.schema_migration order by id')
  return rows as readonly AppliedRow[]
}

async function verifiedRows(client: ClientBase, migrations: readonly Migration[]): Promise<readonly AppliedRow[]> {
  const rows = await appliedRows(client)
  refuseForeignRows(rows, migrations)
  return rows
}

function refuseForeignRows(rows: readonly AppliedRow[], migrations: readonly Migration[]): void {
  rows.forEach((row, index) => {
    const migration = migrations[index]
    if (migration === undefined) throw new MigrationError(`the database has ${row.name}, which this version lacks`)
    if (migration.name !== row.name)
      throw new MigrationError(`the database has ${row.name} where this version has ${migration.name}`)
    if (migration.checksum !== row.checksum)
      throw new MigrationError(`${row.name}.up.sql was changed after it had been applied: add a new migration instead`)
  })
}

function step(client: ClientBase, file: string, sql: string, row: { text: string; values: unknown[] }): Promise<void> {
  return retryOnLock(async () => {
    try {
      await client.query('begin')
      await client.query(sql)
      await client.query(row.text, row.values)
      const { command } = await client.query('commit')
      if (command !== 'COMMIT') throw new MigrationError(`${file} was rolled back`)
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      throw located(error, file, sql)
    }
  })
}

/** Names the file and the line an SQL error points at; keeps the SQLSTATE for the retry. */
function located(error: unknown, file: string, sql: string): unknown {
  if (!(error instanceof Error) || error instanceof MigrationError) return error
  const { position, code } = error as Error & { position?: string; code?: string }
  const line = position === undefined ? '' : `:${sql.slice(0, Number(position)).split('\n').length}`
  return Object.assign(new MigrationError(`${file}${line}: ${error.message}`, { cause: error }), { code })
}

async function retryOnLock<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run()
    } catch (error) {
      const isLockTimeout = error instanceof Error && (error as Error & { code?: string }).code === '55P03'
      if (!isLockTimeout || attempt === lockAttempts) throw error
    }
  }
}
