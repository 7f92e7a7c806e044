import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { CompiledQuery } from 'kysely'
import t from 'tap'
import { createDatabase } from '#platform/database.ts'
import { RunAgain } from '#platform/database-errors.ts'
import { createUnitOfWork } from '#platform/unit-of-work.ts'
import { type Origin, systemOrigin, type Work } from '#platform/work.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'
import { until } from '#test/until.ts'

const captured = captureLog()
const wire = await losesAnswers()
const h = await harness(t, {
  log: captured.log,
  replace: (made) => {
    const target = new URL(made.config.DATABASE_URL)
    wire.target = { host: target.hostname, port: Number(target.port) }
    target.host = `127.0.0.1:${wire.port}`
    const config = { ...made.config, DATABASE_URL: target.href }
    const database = createDatabase({ config, log: made.log, statementTimeoutMs: 3_000, applicationName: 'retries' })
    return { database, unitOfWork: createUnitOfWork({ ...made, database }) }
  },
})
t.teardown(() => wire.close())
const { unitOfWork, database } = h.runtime
await h.db.query('create table probe (n int); grant select, insert on probe to purser_app')
const origin: Origin = systemOrigin({
  organizationId: h.tenant.organizationId,
  name: 'test',
  requestId: 'req_retries',
  traceparent: null,
  log: captured.log,
})
const execute = (work: Work, text: string) => work.db.executeQuery<{ pid: number }>(CompiledQuery.raw(text))
const rowsOf = async (n: number) => (await h.db.query('select from probe where n = $1', [n])).rowCount
const answer = { status: 201, etag: null, location: null, data: '{}' }

/** A work that inserts `n` and then fails in `fail` as often as `times` says; counts its runs. */
function failing(n: number, times: number, fail: (work: Work) => Promise<unknown>) {
  const state = { runs: 0 }
  const run = async (work: Work) => {
    state.runs++
    await execute(work, `insert into probe values (${n})`)
    if (state.runs <= times) await fail(work)
    return answer
  }
  return { state, run }
}

const raise = (code: string) => (work: Work) =>
  execute(work, `do $$ begin raise exception 'planted' using errcode = '${code}'; end $$`)
const terminate = async (work: Work) => {
  const { rows } = await execute(work, 'select pg_backend_pid() as pid')
  await h.db.query('select pg_terminate_backend($1)', [rows[0]?.pid])
  await execute(work, 'select 1')
}

t.test('what the database dropped runs again: at most three times, then 503', async (t) => {
  const codes = ['40001', '40P01', '57P01', '57P02', '57P03', '08006']
  const check = async (code: string, index: number) => {
    const twice = failing(100 + index, 2, raise(code))
    const always = failing(200 + index, 99, raise(code))
    await unitOfWork.write(origin, twice.run)
    t.equal(twice.state.runs, 3, code)
    t.equal(await rowsOf(100 + index), 1)
    await t.rejects(unitOfWork.write(origin, always.run), { code: 'DATABASE_UNAVAILABLE', statusCode: 503 })
    t.equal(always.state.runs, 3, code)
    t.equal(await rowsOf(200 + index), 0)
  }
  await Promise.all(codes.map(check))
  t.ok(captured.take().some((line) => line.message === 'unit of work runs again' && line.attempt === 2))
})

t.test('a terminated backend is noticed in the middle of the work, which runs again', async (t) => {
  const { state, run } = failing(1, 1, terminate)
  await unitOfWork.write(origin, run)
  t.equal(state.runs, 2)
  t.equal(await rowsOf(1), 1)
  const claimed = failing(2, 2, terminate)
  const claim = { key: 'terminated', fingerprint: 'f' }
  t.match(await unitOfWork.writeOnce(origin, claim, claimed.run), { replayed: false })
  t.equal(claimed.state.runs, 3)
  t.equal(await rowsOf(2), 1)
  let reads = 0
  const read = await unitOfWork.read(origin, async ({ db }) => {
    if (++reads === 1) await terminate({ db } as Work)
    return reads
  })
  t.equal(read, 2, 'a read as well')
})

t.test('a random value that collided is drawn again', async (t) => {
  const { state, run } = failing(3, 1, () => Promise.reject(new RunAgain('collision')))
  await unitOfWork.write(origin, run)
  t.equal(state.runs, 2)
  t.equal(await rowsOf(3), 1)
})

t.test('other failures are final, and nothing runs again for nobody', async (t) => {
  for (const code of ['23505', '22012', '57014', '55P03', 'P0001']) {
    const { state, run } = failing(4, 1, raise(code))
    await t.rejects(unitOfWork.write(origin, run))
    t.equal(state.runs, 1, code)
  }
  const { state, run } = failing(4, 1, raise('40001'))
  const unwanted = { ...origin, signal: AbortSignal.abort() }
  await t.rejects(unitOfWork.write(unwanted, run), { code: 'DATABASE_UNAVAILABLE' })
  t.equal(state.runs, 1)
  t.equal(await rowsOf(4), 0)
})

t.test('committed, but the answer was lost: unclaimed work never runs again', async (t) => {
  const { state, run } = failing(5, 0, async () => {})
  wire.loseNextCommit()
  await t.rejects(unitOfWork.write(origin, run), { code: 'OUTCOME_UNKNOWN', statusCode: 503 })
  t.equal(wire.lost(), true, 'the fault did happen')
  t.equal(state.runs, 1)
  t.equal(await rowsOf(5), 1)
})

t.test('committed, but the answer was lost: claimed work is looked up', async (t) => {
  const { state, run } = failing(6, 0, async () => {})
  wire.loseNextCommit()
  const result = await unitOfWork.writeOnce(origin, { key: 'lost', fingerprint: 'f' }, run)
  t.equal(wire.lost(), true)
  t.same(result, { answer, replayed: true })
  t.equal(state.runs, 1)
  t.equal(await rowsOf(6), 1)
})

t.test('the connection died at COMMIT and nothing was stored: claimed work runs again', async (t) => {
  await h.db.query(`create sequence deaths;
    create function die_once() returns trigger language plpgsql security definer as
      $$ begin if nextval('deaths') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if; return null; end $$;
    create constraint trigger die after insert on probe deferrable initially deferred
      for each row execute function die_once()`)
  const claimed = failing(7, 0, async () => {})
  const result = await unitOfWork.writeOnce(origin, { key: 'died', fingerprint: 'f' }, claimed.run)
  t.same(result, { answer, replayed: false })
  t.equal(claimed.state.runs, 2)
  t.equal(await rowsOf(7), 1)
  await h.db.query(`alter sequence deaths restart`)
  const unclaimed = failing(8, 0, async () => {})
  await t.rejects(unitOfWork.write(origin, unclaimed.run), { code: 'OUTCOME_UNKNOWN' })
  t.equal(unclaimed.state.runs, 1)
  t.equal(await rowsOf(8), 0)
})

t.test('over HTTP a client sees none of this: one order, one answer', async (t) => {
  await h.tenant.stock([{ sku: 'MUG', onHand: 5 }])
  const client = h.as(h.tenant.key)
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
  await until('the COMMIT that is lost is not another', () => database.load.idle === database.load.total)
  wire.loseNextCommit()
  const placed = await client.post('/v1/orders', order)
  t.equal(wire.lost(), true)
  t.equal(placed.status, 201)
  t.equal(placed.headers['idempotency-replayed'], 'true')
  t.equal((await h.db.query('select from orders')).rowCount, 1)
})

/** A wire to PostgreSQL that breaks, when told to, as the answer to a COMMIT comes back. */
async function losesAnswers() {
  let armed = false
  let lost = false
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(control.target)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => [client, upstream].map((other) => other.destroy()))
    }
    client.on('data', (data) => upstream.write(data))
    upstream.on('data', (data) => {
      if (!armed || !data.includes('COMMIT\0')) return client.write(data)
      armed = false
      lost = true
      return client.resetAndDestroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const control = {
    target: { host: '127.0.0.1', port: 0 },
    port: typeof address === 'object' && address ? address.port : 0,
    loseNextCommit() {
      armed = true
      lost = false
    },
    lost: () => lost,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
  return control
}
