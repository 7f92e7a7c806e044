import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import {
  type Migration,
  migrateDown,
  migrateUp,
  migrationStates,
  pendingMigrations,
  readMigrations,
} from '#platform/migrations.ts'
import { insertAuditRows } from './audit-rows.ts'
import { cloneDatabase } from './harness.ts'
import { schemaSnapshot } from './schema-snapshot.ts'

const source = new URL('../', import.meta.url)

t.test('up, down and up again leave the identical schema, migration by migration', async (t) => {
  const { client } = await emptyDatabase(t)
  const migrations = await readMigrations()
  await migrateUp(client, [])
  const snapshots = [await schemaSnapshot(client)]
  for (const { name, id } of migrations) {
    t.same(await migrateUp(client, migrations.slice(0, id)), [name])
    snapshots.push(await schemaSnapshot(client))
  }
  for (const { name, id } of migrations.toReversed()) {
    t.same(await migrateDown(client, migrations.slice(0, id), 1), [name])
    t.same(await schemaSnapshot(client), snapshots[id - 1], `${name} is undone completely`)
  }
  await migrateUp(client, migrations)
  t.same(await schemaSnapshot(client), snapshots.at(-1))
  t.same(await migrateUp(client, migrations), [], 'a second run finds nothing to do')
})

t.test('verifications and exports that no job works on any more have failed, and before that they wait', async (t) => {
  const { client } = await emptyDatabase(t)
  const migrations = await readMigrations()
  const index = migrations.findIndex(({ name }) => name.endsWith('_ended_audit_jobs'))
  await migrateUp(client, migrations.slice(0, index))
  for (const organizationId of ['org_1', 'org_2']) await insertAuditRows(client, organizationId)
  await client.query(`insert into pgboss.queue (name, policy, retry_limit, retry_delay, retry_backoff, expire_seconds,
      retention_seconds, deletion_seconds, partition, table_name)
    select name, 'standard', 2, 5, true, 300, 9, 9, false, 'job_common' from unnest('{audit.verify,audit.export}'::text[]) name`)
  await client.query(`insert into pgboss.job (name, data)
    select 'audit.verify', jsonb_build_object('payload', jsonb_build_object('verificationId', id))
    from ledger_verifications where organization_id = 'org_1'`)
  await client.query(`insert into pgboss.job (name, state, data)
    select 'audit.export', 'active', jsonb_build_object('payload', jsonb_build_object('exportId', id))
    from ledger_exports where organization_id = 'org_1'`)
  const states = async () =>
    (
      await client.query(`select v.organization_id, v.state as verification, e.state as export
        from ledger_verifications v join ledger_exports e using (organization_id) order by 1`)
    ).rows.map(({ verification, export: exported }) => `${verification} ${exported}`)
  await migrateUp(client, migrations.slice(0, index + 1))
  t.same(await states(), ['queued queued', 'failed failed'])
  await migrateDown(client, migrations.slice(0, index + 1), 1)
  t.same(await states(), ['queued queued', 'queued queued'])
})

t.test('of two runs at once the second finds nothing to do', async (t) => {
  const { client, connect } = await emptyDatabase(t)
  const migrations = (await readMigrations()).slice(0, 3)
  const runs = await Promise.all([client, await connect(), await connect()].map((c) => migrateUp(c, migrations)))
  t.same(runs.map((names) => names.length).sort(), [0, 0, migrations.length])
})

t.test('a run killed midway leaves nothing half done and the next run finishes it', async (t) => {
  const { client, url } = await emptyDatabase(t)
  const folder = await migrationFolder(t, {
    '0001_one': ['create table one (id int)', 'drop table one'],
    '0002_two': ["create table two (id int); select pg_sleep(current_setting('test.sleep', true)::float)", ''],
  })
  await client.query('create table before (id int)')
  const script = `import pg from 'pg'
    const { migrateUp, readMigrations } = await import('${new URL('platform/migrations.ts', source)}')
    const client = new pg.Client({ connectionString: '${url}', options: '-c test.sleep=60' })
    await client.connect()
    await migrateUp(client, await readMigrations(new URL('${folder}')))`
  const run = execFile(process.execPath, ['--input-type=module', '-e', script], { cwd: fileURLToPath(source) })
  const sleeping = `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
  while ((await client.query(sleeping)).rowCount === 0) await sleep(20)
  run.kill('SIGKILL')
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`)

  const migrations = await readMigrations(folder)
  t.equal((await client.query(`select to_regclass('two') as it`)).rows[0].it, null)
  t.same(await pendingMigrations(client, migrations), ['0002_two'])
  await client.query(`set test.sleep = '0'`)
  t.same(await migrateUp(client, migrations), ['0002_two'])
})

t.test('a failing migration names its file and line and changes nothing', async (t) => {
  const { client } = await emptyDatabase(t)
  const folder = await migrationFolder(t, { '0001_one': ['create table one (id int);\nselect nothing;', ''] })
  await t.rejects(migrateUp(client, await readMigrations(folder)), {
    message: /^0001_one\.up\.sql:2: column "nothing"/,
  })
  t.equal((await client.query(`select to_regclass('one') as it`)).rows[0].it, null)
})

t.test('refuses a changed file, a database ahead of this version, and another history', async (t) => {
  const { client } = await emptyDatabase(t)
  const files = { '0001_one': ['create table one (id int)', 'drop table one'], '0002_two': ['select 2', 'select 2'] }
  const [one, two] = (await readMigrations(await migrationFolder(t, files))) as [Migration, Migration]
  await migrateUp(client, [one, two])
  const changed = { ...one, checksum: 'another' }
  await t.rejects(migrateUp(client, [changed, two]), { message: /^0001_one\.up\.sql was changed after/ })
  await t.rejects(migrateDown(client, [changed, two], 1), { message: /was changed after/ })
  await t.rejects(migrateUp(client, [one]), { message: 'the database has 0002_two, which this version lacks' })
  await t.rejects(migrateUp(client, [one, { ...two, name: '0002_other' }]), { message: /where this version has/ })
  t.same(await pendingMigrations(client, [one]), [], 'an older version beside a newer schema is not behind')
})

t.test('refuses gaps, missing halves, strange names and files that end their transaction', async (t) => {
  const cases: readonly [Record<string, readonly string[]>, RegExp][] = [
    [{ '0001_one': ['', ''], '0003_three': ['', ''] }, /expected migration 2, found 0003_three/],
    [{ '0001_one': ['', ''], '0001_uno': ['', ''] }, /expected migration 2, found 0001_uno/],
    [{ '0001_one': [''] }, /cannot read migrations\/0001_one.down.sql/],
    [{ one: ['', ''] }, /one.(up|down).sql is not named/],
    [{ '0001_one': ['create table a (id int);\ncommit;\nselect 1', ''] }, /must leave BEGIN and COMMIT/],
  ]
  for (const [files, message] of cases) await t.rejects(readMigrations(await migrationFolder(t, files)), { message })
})

t.test('refuses a database that is not UTF8', async (t) => {
  const { client } = await emptyDatabase(t, `encoding 'SQL_ASCII'`)
  await t.rejects(migrateUp(client, await readMigrations()), { message: /encoding must be UTF8.*SQL_ASCII/ })
})

t.test('an application role can read what is pending', async (t) => {
  const { client } = await emptyDatabase(t)
  const migrations = await readMigrations()
  t.same(
    await pendingMigrations(client),
    migrations.map(({ name }) => name),
  )
  const migrated = await connected(await cloneDatabase(t))
  t.teardown(() => migrated.end())
  await migrated.query('set role purser_app')
  t.same(await pendingMigrations(migrated), [])
  await migrated.query('reset role')
  t.ok((await migrationStates(migrated, migrations)).every(({ appliedAt }) => appliedAt instanceof Date))
})

t.test('the command answers up, down and status, and one line with exit code 1 otherwise', async (t) => {
  const { url } = await emptyDatabase(t)
  const count = (await readMigrations()).length
  const migrate = (args: readonly string[], DATABASE_URL = url) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      execFile(
        process.execPath,
        [fileURLToPath(new URL('migrate.ts', source)), ...args],
        { env: { ...process.env, DATABASE_URL, MIGRATION_DATABASE_URL: '' } },
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      )
    })
  t.match(await migrate(['status']), { code: 0, stdout: /^0001_kernel {2}pending$/m })
  t.match(await migrate(['up']), { code: 0, stdout: /^applied 0001_kernel$/m })
  t.match(await migrate(['up']), { code: 0, stdout: 'nothing to do\n' })
  t.match(await migrate(['status']), { code: 0, stdout: /^0001_kernel {2}applied \d{4}-.*Z$/m })
  t.match(await migrate(['down']), { code: 0, stdout: /^reverted \w+\n$/ })
  t.equal((await migrate(['down', '99'])).stdout.trim().split('\n').length, count - 1)
  for (const wrong of [[], ['sideways'], ['down', 'all'], ['up', '1', '2']])
    t.match(await migrate(wrong), { code: 1, stderr: /^migrate: usage: .*\n$/ })
  const unreachable = await migrate(['up'], 'postgres://nobody@localhost:1/none')
  t.match(unreachable, { code: 1, stderr: /^migrate: connect ECONNREFUSED .*\n$/ })
  t.match(await migrate(['up'], ''), { code: 1, stderr: /^migrate: set DATABASE_URL .*\n$/ })
})

async function emptyDatabase(t: Test, options = `encoding 'UTF8'`) {
  const admin = await connected(process.env.TEST_POSTGRES_URL ?? '')
  const name = `t_migrations_${randomBytes(6).toString('hex')}`
  await admin.query(`create database ${name} template template0 locale 'C' ${options}`)
  const url = new URL(process.env.TEST_POSTGRES_URL ?? '')
  url.pathname = `/${name}`
  const clients: pg.Client[] = []
  const connect = async () => {
    const client = await connected(url.href)
    clients.push(client)
    return client
  }
  t.teardown(async () => {
    await Promise.all(clients.map((client) => client.end()))
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  })
  return { client: await connect(), connect, url: url.href }
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}

async function migrationFolder(t: Test, files: Readonly<Record<string, readonly string[]>>): Promise<URL> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'purser-migrations-'))
  t.teardown(() => rm(folder, { recursive: true }))
  for (const [name, [up, down]] of Object.entries(files)) {
    if (up !== undefined) await writeFile(path.join(folder, `${name}.up.sql`), up)
    if (down !== undefined) await writeFile(path.join(folder, `${name}.down.sql`), down)
  }
  return pathToFileURL(`${folder}/`)
}
