import { CompiledQuery } from 'kysely'
import t from 'tap'
import { createDatabase, type Session } from '#platform/database.ts'
import { harness } from '#test/harness.ts'
import { until } from '#test/until.ts'

const h = await harness(t, { env: { DB_POOL_SIZE: '1' } })
const { config, log } = h.runtime
const { organizationId } = h.tenant
const database = createDatabase({ config, log, statementTimeoutMs: 1_234, applicationName: 'database-test' })
t.teardown(() => database.close())

type Row = Readonly<Record<string, unknown>>
const query = async (session: Session, text: string, values: unknown[] = []): Promise<Row[]> =>
  (await session.db.executeQuery<Row>(CompiledQuery.raw(text, values))).rows

async function inTransaction<T>(run: (session: Session) => Promise<T>, readOnly = true): Promise<T> {
  const session = await database.begin({ role: 'app', organizationId, readOnly })
  try {
    const result = await run(session)
    await session.commit()
    return result
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

t.test('int8 is a number, and refused rather than rounded', async (t) => {
  const of = (value: string) => inTransaction((session) => query(session, `select ${value} as n`))
  t.same(await of('9007199254740991::int8'), [{ n: 9_007_199_254_740_991 }])
  t.same(await of('(-9007199254740991)::int8'), [{ n: -9_007_199_254_740_991 }])
  t.same(await of('null::int8'), [{ n: null }])
  t.same(await of('(select count(*) from organizations)'), [{ n: 1 }])
  for (const value of ['9007199254740992::int8', '(-9007199254740993)::int8', '9223372036854775807::int8'])
    await t.rejects(of(value), RangeError, value)
  t.same(await of('1::int8'), [{ n: 1 }], 'the connection is of use afterwards')
})

t.test('role and tenant end with the transaction', async (t) => {
  const settings = `select current_user as role, coalesce(current_setting('app.organization_id', true), '') as tenant`
  t.same(await inTransaction((session) => query(session, settings)), [{ role: 'purser_app', tenant: organizationId }])
  const relay = await database.begin({ role: 'relay' })
  t.same(await query(relay, settings), [{ role: 'purser_relay', tenant: '' }])
  await relay.commit()
  const unbound = await database.begin({ role: 'app' })
  t.same(await query(unbound, settings), [{ role: 'purser_app', tenant: '' }])
  await unbound.rollback(null)
  const hostile = `x', true); drop table orders; --`
  const quoted = await database.begin({ role: 'app', organizationId: hostile, credentialHash: `'\\` })
  t.same(await query(quoted, settings), [{ role: 'purser_app', tenant: hostile }])
  await quoted.commit()
})

t.test('every connection has its limits', async (t) => {
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'application_name']
  const shown = await inTransaction(async (session) => {
    const rows = await Promise.all(names.map((name) => query(session, `select current_setting('${name}') as value`)))
    return rows.flat().map(({ value }) => value)
  })
  t.same(shown, ['1234ms', '1s', '5s', 'database-test'])
})

t.test('statements are prepared once, also when many are sent without waiting', async (t) => {
  const prepared = (session: Session) =>
    query(session, `select count(*) as n, count(distinct statement) as texts from pg_prepared_statements`)
  await inTransaction(async (session) => {
    const text = `select $1::int + 0 as "sent at once"`
    const rows = await Promise.all([1, 2, 3, 4, 5].map((n) => query(session, text, [n])))
    t.same(
      rows.flat().map((row) => row['sent at once']),
      [1, 2, 3, 4, 5],
    )
    const named = `select name from pg_prepared_statements where statement = $1`
    t.equal((await query(session, named, [text])).length, 1)
  })
  const [before] = await inTransaction(prepared)
  await inTransaction(async (session) => {
    for (let variant = 0; variant < 600; variant++) await query(session, `select ${variant} as n`)
  })
  const [after] = await inTransaction(prepared)
  t.ok(Number(after?.n) > Number(before?.n))
  t.ok(Number(after?.n) <= 500, 'past the limit they are sent without a name')
  t.equal(after?.n, after?.texts)
})

t.test('a statement that fails spoils neither its name nor its connection', async (t) => {
  for (let round = 0; round < 2; round++) {
    await t.rejects(
      inTransaction((session) => query(session, 'select 1 / $1::int as n', [0])),
      { code: '22012' },
    )
    await t.rejects(
      inTransaction((session) => query(session, 'select nothing from nowhere')),
      { code: '42P01' },
    )
    t.same(await inTransaction((session) => query(session, 'select 4 / $1::int as n', [2])), [{ n: 2 }])
  }
  t.equal(database.load.total, 1)
})

t.test('an idle connection that is terminated is replaced', async (t) => {
  const pid = (session: Session) => query(session, 'select pg_backend_pid() as pid')
  const [before] = await inTransaction(pid)
  await h.db.query('select pg_terminate_backend($1)', [before?.pid])
  await until('the loss is noticed', () => database.load.total === 0)
  const [after] = await inTransaction(pid)
  t.not(after?.pid, before?.pid)
})

t.test('a caller that finds no connection in time is told so', async (t) => {
  const session = await database.begin({ role: 'app', organizationId })
  await t.rejects(database.begin({ role: 'app', organizationId }), { code: 'DATABASE_UNAVAILABLE', statusCode: 503 })
  t.same(database.load, { total: 1, idle: 0, waiting: 0 })
  await session.rollback(null)
  t.same(database.load, { total: 1, idle: 1, waiting: 0 })
})

t.test('timestamps come back to the millisecond they were stored with', async (t) => {
  const time = new Date('2026-01-15T09:30:00.123Z')
  const [row] = await inTransaction((session) => query(session, 'select $1::timestamptz(3) as time', [time]))
  t.same(row?.time, time)
})
