import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import type { Test } from 'tap'
import { startRelay } from '#platform/relay/relay.ts'
import { temporaryCluster } from '../start/temporary-cluster.ts'
import { chainFaults } from './chain.ts'
import { type Harness, harness } from './harness.ts'
import { createDatabase, migratedDatabase } from './own-cluster.ts'
import { until } from './until.ts'

const folder = '/usr/lib/postgresql/15'
const binary = (name: string): string => path.join(folder, 'bin', name)

/** Why the test cannot run here; false: it can. */
export const withoutPostgres15 = existsSync(binary('pg_dump')) ? false : `PostgreSQL 15 is not installed in ${folder}`

/** Dumps a database that has events and rows without, restores it into another cluster and goes on there. */
export async function restoreIntoAnotherCluster(t: Test): Promise<void> {
  const [first, second] = await Promise.all([cluster15(t), cluster15(t)])
  const before = await harness(t, { databaseUrl: await migratedDatabase(first) })
  await burnTransactionIds(before.db)
  await before.tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
  const relay = startRelay({ ...before.runtime, fanOuts: [] })
  await place(before, before.tenant.key, 20)
  await untilNumbered(before.db)
  await relay.stop()
  await place(before, before.tenant.key, 15)
  t.equal(await rowsWithoutEvent(before.db), 30, 'when it is dumped, 30 rows have no event')
  const hashes = await hashesOf(before.db)

  await createDatabase(second)
  await restore(first.url('purser'), second.url('purser'))
  const after = await harness(t, { databaseUrl: second.url('purser') })
  t.match((await after.db.query('show server_version')).rows[0].server_version, /^15\./)
  const restoredXid = await highestXid(after.db)
  t.ok(restoredXid > (await currentXid(after.db)), 'restored ids are ahead of the cluster')
  await place(after, before.tenant.key, 1)
  const continued = startRelay({ ...after.runtime, fanOuts: [] })
  t.teardown(() => continued.stop())
  await untilNumbered(after.db)
  await place(after, before.tenant.key, 3)
  await untilNumbered(after.db)
  t.same((await hashesOf(after.db)).slice(0, hashes.length), hashes, 'events are what they were')
  t.same(await chainFaults(after.db), [])

  await burnTransactionIds(after.db)
  t.ok(restoredXid < (await currentXid(after.db)), 'the cluster has caught up')
  await place(after, before.tenant.key, 2)
  await untilNumbered(after.db)
  t.same(await chainFaults(after.db), [], 'what has an event is not numbered again')
  await continued.stop()
}

async function cluster15(t: Test) {
  const cluster = await temporaryCluster({}, { initdb: binary('initdb'), postgres: binary('postgres'), folder })
  t.teardown(() => cluster.stop())
  return cluster
}

async function place({ as }: Harness, key: string, orders: number): Promise<void> {
  const order = { paymentTerms: 'onAccount', customer: { name: 'Ann' }, lines: [{ sku: 'MUG', quantity: 1 }] }
  for (let n = 0; n < orders; n++) {
    const { status, text } = await as(key).post('/v1/orders', order)
    if (status !== 201) throw new Error(text)
  }
}

const rowsWithoutEvent = (db: pg.Pool): Promise<number> =>
  number(
    db,
    `select count(*) from ledger l
     where not exists (select from events e where e.organization_id = l.organization_id and e.id = l.id)`,
  )
const highestXid = (db: pg.Pool): Promise<number> => number(db, 'select max(xid)::text from ledger')
const currentXid = (db: pg.Pool): Promise<number> => number(db, 'select pg_current_xact_id()::text')
const untilNumbered = (db: pg.Pool): Promise<void> =>
  until('every row is numbered', async () => (await rowsWithoutEvent(db)) === 0)

async function number(db: pg.Pool, text: string): Promise<number> {
  const { rows } = await db.query<unknown[]>({ text, rowMode: 'array' })
  return Number(rows[0]?.[0])
}

async function hashesOf(db: pg.Pool): Promise<readonly string[]> {
  const { rows } = await db.query(`select encode(hash, 'hex') as hash from events order by organization_id, sequence`)
  return rows.map(({ hash }) => hash)
}

/** Every block with an exception handler that writes takes an id. */
const burnTransactionIds = (db: pg.Pool): Promise<unknown> =>
  db.query(`create temporary table burnt (n integer);
    do $$ begin
      for n in 1..30000 loop
        begin insert into burnt values (n); exception when others then raise; end;
      end loop;
    end $$;
    drop table burnt`)

/** Roles belong to the cluster: they are dumped apart. The superuser is there already, which is all that may fail. */
async function restore(from: string, to: string): Promise<void> {
  const run = (name: string, options: readonly string[]) =>
    promisify(execFile)(binary(name), [...options], { maxBuffer: 256 * 1_024 * 1_024 })
  const roles = await run('pg_dumpall', ['--roles-only', '--no-role-passwords', `--dbname=${from}`])
  const database = await run('pg_dump', [`--dbname=${from}`])
  await psql(to, roles.stdout, false)
  await psql(to, database.stdout, true)
}

async function psql(url: string, text: string, strictly: boolean): Promise<void> {
  const running = execFile(binary('psql'), ['--quiet', `--set=ON_ERROR_STOP=${Number(strictly)}`, `--dbname=${url}`])
  const ended = once(running, 'exit')
  let said = ''
  running.stderr?.on('data', (part) => {
    said += part
  })
  running.stdin?.end(text)
  const [code] = await ended
  if (code !== 0) throw new Error(`psql ended with ${code}: ${said}`)
}
