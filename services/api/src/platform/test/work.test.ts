import { CompiledQuery } from 'kysely'
import t from 'tap'
import type { Transaction } from '#platform/database.ts'
import { newId } from '#platform/id.ts'
import { systemOrigin, type Work } from '#platform/work.ts'
import { harness } from '#test/harness.ts'
import { until } from '#test/until.ts'

const h = await harness(t)
const { unitOfWork, database, log } = h.runtime
const { organizationId } = h.tenant
await h.db.query('create table probe (n int unique); grant select, insert on probe to purser_app')
const origin = systemOrigin({ organizationId, name: 'test', requestId: 'req_work', traceparent: null, log })
const run = (db: Pick<Transaction, 'executeQuery'>, text: string, values: unknown[] = []) =>
  db.executeQuery<{ n: number }>(CompiledQuery.raw(text, values))
const insert = (work: Work, n: number) => run(work.db, 'insert into probe values ($1)', [n])
const stored = async (n: number) => ((await h.db.query('select from probe where n = $1', [n])).rowCount ?? 0) > 0
const count = async (table: string) => (await h.db.query(`select count(*)::int as n from ${table}`)).rows[0].n
const event = (id: string) =>
  ({ type: 'location.created', resource: { type: 'location', id, version: 1 }, data: { id } }) as const
const answer = { status: 201, etag: '"1"', location: '/x', data: '{"n":1}' }

t.afterEach(() => until('every connection is back', () => database.load.total === database.load.idle))

t.test('commits rows and ledger together, marked with who asked', async (t) => {
  const id = newId('loc')
  await unitOfWork.write(origin, async (work) => {
    await insert(work, 1)
    work.record(event(id))
    work.record({ ...event(id), changed: ['name'], personal: { name: 'x' } })
  })
  t.ok(await stored(1))
  const { rows } = await h.db.query('select * from ledger where resource_id = $1 order by id', [id])
  t.match(rows, [
    {
      organization_id: organizationId,
      id: /^evt_/,
      type: 'location.created',
      schema_version: 1,
      actor: { type: 'system', id: 'test', keyId: null },
      request_id: 'req_work',
      traceparent: null,
      resource_version: 1,
      changed: [],
      data: { id },
      personal: null,
      personal_salt: null,
    },
    { changed: ['name'], personal: { name: 'x' } },
  ])
  t.equal(rows[1].personal_salt.length, 16)
  t.equal(rows[0].xid, rows[1].xid)
})

t.test('what throws leaves nothing: no row, no event, no key', async (t) => {
  const before = [await count('ledger'), await count('idempotency_keys')]
  const fail = async (work: Work): Promise<never> => {
    await insert(work, 2)
    work.record(event(newId('loc')))
    throw new Error('changed its mind')
  }
  await t.rejects(unitOfWork.write(origin, fail), { message: 'changed its mind' })
  await t.rejects(unitOfWork.writeOnce(origin, { key: 'k2', fingerprint: 'f' }, fail), { message: 'changed its mind' })
  t.notOk(await stored(2))
  t.same([await count('ledger'), await count('idempotency_keys')], before)
})

t.test('a failure that is swallowed is never acknowledged', async (t) => {
  const before = [await count('ledger'), await count('idempotency_keys')]
  const swallow = async (work: Work) => {
    await insert(work, 3)
    await run(work.db, 'select 1 / 0').catch(() => {})
    return answer
  }
  await t.rejects(unitOfWork.write(origin, swallow), { message: /COMMIT answered ROLLBACK/ })
  const recording = (work: Work) => {
    work.record(event(newId('loc')))
    return swallow(work)
  }
  await t.rejects(unitOfWork.write(origin, recording), /aborted|ROLLBACK/)
  await t.rejects(unitOfWork.writeOnce(origin, { key: 'k3', fingerprint: 'f' }, swallow), /aborted|ROLLBACK/)
  const unawaited = async (work: Work) => {
    await insert(work, 3)
    run(work.db, 'select 1 / 0').catch(() => {})
    return answer
  }
  await t.rejects(unitOfWork.write(origin, unawaited), { message: /COMMIT answered ROLLBACK/ }, 'nor one in flight')
  await t.rejects(
    unitOfWork.sweep((db) => run(db, 'select 1 / 0').catch(() => {})),
    /ROLLBACK/,
  )
  t.notOk(await stored(3))
  t.same([await count('ledger'), await count('idempotency_keys')], before)
})

t.test('a read cannot write, not even in plain SQL', async (t) => {
  const statements = [
    'insert into probe values (4)',
    `select nextval('numbers')`,
    'select from probe for update',
    'create temporary table x (n int)',
    'with w as (insert into probe values (4) returning n) select n from w',
  ]
  await h.db.query('create sequence numbers; grant usage on sequence numbers to purser_app')
  for (const text of statements)
    await t.rejects(
      unitOfWork.read(origin, ({ db }) => run(db, text)),
      /read-only transaction|permission denied/,
      text,
    )
  t.notOk(await stored(4))
  const { rows } = await unitOfWork.read(origin, ({ db }) => run(db, 'select 1 as n'))
  t.same(rows, [{ n: 1 }])
})

t.test('runs at most once for a claim, and hands out the stored answer', async (t) => {
  let runs = 0
  const claim = { key: 'once', fingerprint: 'f' }
  const work = async (work: Work) => {
    await insert(work, 5)
    runs++
    return answer
  }
  t.same(await unitOfWork.writeOnce(origin, claim, work), { answer, replayed: false })
  t.same(await unitOfWork.writeOnce(origin, claim, work), { answer, replayed: true })
  t.equal(runs, 1)
  await t.rejects(unitOfWork.writeOnce(origin, { ...claim, fingerprint: 'g' }, work), {
    code: 'IDEMPOTENCY_KEY_REUSED',
  })
  const empty = { status: 204, etag: null, location: null, data: null }
  await unitOfWork.writeOnce(origin, { key: 'none', fingerprint: 'f' }, async () => empty)
  const again = await unitOfWork.writeOnce(origin, { key: 'none', fingerprint: 'f' }, work)
  t.same(again, { answer: empty, replayed: true })
})

t.test('a claim held by another transaction is in progress', async (t) => {
  const claim = { key: 'busy', fingerprint: 'f' }
  let inner: unknown
  await unitOfWork.writeOnce(origin, claim, async () => {
    inner = await unitOfWork.writeOnce(origin, claim, async () => answer).catch((error: unknown) => error)
    return answer
  })
  t.match(inner, { code: 'IDEMPOTENCY_IN_PROGRESS', details: { retryAfterSeconds: 1 } })
})

t.test('drops cached values after the commit, and only after one', async (t) => {
  const cache = h.runtime.caches.create<{ tag: string; n: number }>({
    ttlMs: 60_000,
    maxEntries: 10,
    tagOf: ({ tag }) => tag,
  })
  let n = 0
  const get = async () => (await cache.get('k', async () => ({ tag: 'probe', n: ++n }))).n
  t.equal(await get(), 1)
  await unitOfWork.write(origin, async (work) => {
    work.invalidate('probe')
    t.equal(await get(), 1, 'not while it may still fail')
  })
  t.equal(await get(), 2)
  await unitOfWork
    .write(origin, async (work) => {
      work.invalidate('probe')
      throw new Error('no')
    })
    .catch(() => {})
  t.equal(await get(), 2)
})

t.test('a constraint that is checked at COMMIT refuses the work like any other', async (t) => {
  await h.db.query(`create table late (n int unique deferrable initially deferred);
    grant select, insert on late to purser_app`)
  const twice = (work: Work) => run(work.db, 'insert into late values (1), (1)')
  await t.rejects(unitOfWork.write(origin, twice), { code: '23505', constraint: 'late_n_key' })
  t.equal(await count('late'), 0)
})
