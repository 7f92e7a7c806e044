import type pg from 'pg'
import t from 'tap'
import { captureLog } from '#test/captured-log.ts'
import { type Harness, harness } from '#test/harness.ts'
import { until, untilBlocked } from '#test/until.ts'

const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }

/** Another session that keeps `statement` locked until it is released. */
async function hold({ db }: Harness, statement: string): Promise<() => Promise<void>> {
  const holder: pg.PoolClient = await db.connect()
  await holder.query('begin')
  await holder.query(statement)
  return async () => {
    await holder.query('rollback')
    holder.release()
  }
}

t.test('what takes too long answers 503; the same key later tells what came of it', async (t) => {
  const captured = captureLog()
  const env = { HANDLER_TIMEOUT_MS: '800', DB_LOCK_TIMEOUT_MS: '10000' }
  const h = await harness(t, { env, log: captured.log })
  await h.tenant.stock([{ sku: 'MUG', onHand: 1 }])
  // Over a socket: in process, the end of a body and the end of a request are told apart differently.
  const url = await h.app.http.listen({ host: '127.0.0.1', port: 0 })
  const place = async () => {
    const response = await fetch(`${url}/v1/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${h.tenant.key}`,
        'content-type': 'application/json',
        'idempotency-key': 'slow',
      },
      body: JSON.stringify(order),
    })
    const body = (await response.json()) as { data?: { id: string }; error?: { code: string } }
    return { status: response.status, retryAfter: response.headers.get('retry-after'), ...body }
  }
  const release = await hold(h, 'select from stock_levels for update')
  t.match(await place(), { status: 503, retryAfter: '1', error: { code: 'HANDLER_TIMED_OUT' } })
  t.match(await place(), { status: 409, error: { code: 'IDEMPOTENCY_IN_PROGRESS' } }, 'it is still at it')
  await release()
  let answer = await place()
  await until('it has come to an end', async () => {
    answer = await place()
    return answer.status === 201
  })
  const { rows } = await h.db.query('select id from orders')
  t.same(rows, [{ id: answer.data?.id }], 'it took effect once')
  t.notMatch(captured.raw.join(''), /already sent|reply\.sent/i, 'nor does its end try to answer again')
})

t.test('what fails after its 503 is logged as the problem it is', async (t) => {
  const captured = captureLog()
  const env = { HANDLER_TIMEOUT_MS: '300', DB_LOCK_TIMEOUT_MS: '600' }
  const h = await harness(t, { env, log: captured.log })
  await h.tenant.stock([{ sku: 'MUG', onHand: 1 }])
  const release = await hold(h, 'select from stock_levels for update')
  const answer = await h.as(h.tenant.key).post('/v1/orders', order)
  t.match(answer, { status: 503, body: { error: { code: 'HANDLER_TIMED_OUT' } } })
  const late = () => captured.raw.filter((line) => line.includes('DATABASE_UNAVAILABLE'))
  await until('the handler has failed', () => late().length > 0)
  await release()
  t.equal(JSON.parse(late()[0] ?? '').level, 'warn')
  t.notMatch(captured.raw.join(''), /already sent|reply\.sent/i)
})

t.test('a read that takes too long answers 503 as well', async (t) => {
  const h = await harness(t, { env: { HANDLER_TIMEOUT_MS: '800', DB_LOCK_TIMEOUT_MS: '10000' } })
  const release = await hold(h, 'lock table products in access exclusive mode')
  const answer = await h.as(h.tenant.key).get('/v1/products')
  t.match(answer, { status: 503, body: { error: { code: 'HANDLER_TIMED_OUT' } } })
  await release()
})

t.test('when no connection is free in time it answers 503 with Retry-After', async (t) => {
  const env = { DB_POOL_SIZE: '1', DB_LOCK_TIMEOUT_MS: '10000' }
  const h = await harness(t, { env })
  await h.tenant.stock([{ sku: 'MUG', onHand: 1 }])
  const client = h.as(h.tenant.key)
  t.equal((await client.get('/v1/me')).status, 200)
  const release = await hold(h, 'select from stock_levels for update')
  const inFlight = client.post('/v1/orders', order)
  await untilBlocked(h.db)
  for (const answer of await Promise.all([client.get('/v1/me'), client.post('/v1/locations', { name: 'B' })])) {
    t.match(answer, { status: 503, body: { retryable: true, error: { code: 'DATABASE_UNAVAILABLE' } } })
    t.equal(answer.headers['retry-after'], '1')
  }
  await release()
  t.equal((await inFlight).status, 201)
  t.equal((await client.get('/v1/me')).status, 200, 'and recovers by itself')
  t.equal((await client.get('/v1/locations')).body.data.length, 1)
})

t.test('a lock that is not given in time answers 503 and leaves nothing', async (t) => {
  const h = await harness(t, { env: { DB_LOCK_TIMEOUT_MS: '100', AUTHENTICATION_CACHE_TTL_MS: '0' } })
  await h.tenant.stock([{ sku: 'MUG', onHand: 1 }])
  const client = h.as(h.tenant.key)
  t.equal((await client.get('/v1/me')).status, 200)
  let release = await hold(h, 'select from stock_levels for update')
  const headers = { 'idempotency-key': 'blocked' }
  const refused = await client.post('/v1/orders', order, headers)
  t.match(refused, { status: 503, body: { retryable: true, error: { code: 'DATABASE_UNAVAILABLE' } } })
  await release()
  t.equal((await client.post('/v1/orders', order, headers)).status, 201)
  release = await hold(h, 'lock table api_keys in access exclusive mode')
  const unknown = await client.get('/v1/organization')
  t.match(unknown, { status: 503, body: { error: { code: 'DATABASE_UNAVAILABLE' } } }, 'nor can a key be looked up')
  await release()
  t.equal((await client.get('/v1/organization')).status, 200)
})

t.test('a statement that runs too long is ended by the database and answers 503', async (t) => {
  const h = await harness(t, { env: { DB_STATEMENT_TIMEOUT_MS: '1000' } })
  await h.db.query(`create function dawdle() returns trigger language plpgsql as
    $$ begin perform pg_sleep(30); return new; end $$`)
  await h.db.query('create trigger slow before insert on locations for each row execute function dawdle()')
  const answer = await h.as(h.tenant.key).post('/v1/locations', { name: 'B' })
  t.match(answer, { status: 503, body: { error: { code: 'DATABASE_UNAVAILABLE' } } })
  t.equal((await h.as(h.tenant.key).get('/v1/locations')).body.data.length, 1)
})
