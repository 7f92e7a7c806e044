import t from 'tap'
import { newSecret } from '#features/identity/secret.ts'
import { testConfig } from '#test/config.ts'
import { harness } from '#test/harness.ts'
import { createClient } from '#test/http-client.ts'
import { freePort } from '#test/server-process.ts'
import { untilBlocked } from '#test/until.ts'
import { buildApp } from '../../app.ts'
import { createRuntime } from '../../runtime.ts'

t.test('reports each dependency; a silent worker degrades and does not fail', async (t) => {
  const { as, db } = await harness(t)
  const anonymous = as()
  for (const url of ['/health/ready', '/ready']) {
    const { status, body } = await anonymous.get(url)
    t.equal(status, 200, url)
    t.equal(body.status, 'degraded')
    t.match(body.checks, [
      { name: 'database', state: 'ok' },
      { name: 'migrations', state: 'ok' },
    ])
    t.match(
      body.checks.find((check: { name: string }) => check.name === 'worker'),
      { state: 'degraded' },
    )
  }
  t.match(
    (await anonymous.get('/health/ready')).body.checks.find(({ name }: { name: string }) => name === 'relay'),
    { state: 'degraded', detail: 'never seen' },
  )
  await db.query('update relay_state set beat_at = now()')
  await db.query('update pgboss.version set cron_on = now()')
  t.match((await anonymous.get('/health/ready')).body, { status: 'ok' })
  await db.query(`update pgboss.version set cron_on = now() - interval '10 minutes'`)
  t.match((await anonymous.get('/health/ready')).body, { status: 'degraded' })
  for (const url of ['/health/live', '/health']) t.same((await anonymous.get(url)).body, { status: 'ok' }, url)
})

t.test('is not ready without its migrations, and names them', async (t) => {
  const { as, db } = await harness(t)
  await db.query(`delete from schema_migration where id = (select max(id) from schema_migration)`)
  const { status, body, headers } = await as().get('/health/ready')
  t.equal(status, 503)
  t.equal(headers['retry-after'], '1')
  const failed = body.checks.find((check: { name: string }) => check.name === 'migrations')
  t.match(failed, { state: 'failed', detail: /^not applied: \d{4}_\w+$/ })
  t.equal((await as().get('/health/live')).status, 200)
})

t.test('without a database it lives, is not ready, and answers 503 to requests', async (t) => {
  const config = testConfig(`postgres://postgres@127.0.0.1:${await freePort()}/none`)
  const runtime = createRuntime(config, { process: 'server' })
  const app = await buildApp(runtime)
  t.teardown(() => Promise.all([app.http.close(), runtime.database.close()]))
  const anonymous = createClient(app.http)
  t.equal((await anonymous.get('/health/live')).status, 200)
  const ready = await anonymous.get('/health/ready')
  t.equal(ready.status, 503)
  t.match(ready.body, { status: 'failed', checks: [{ name: 'database', state: 'failed' }] })
  t.notMatch(ready.text, /ECONNREFUSED|127\.0\.0\.1|postgres/, 'where the database is stays inside')
  const key = `sk_test_${'0'.repeat(40)}`
  const refused = await createClient(app.http, newSecret('test').secret).get('/v1/me')
  t.match(refused, { status: 503, body: { retryable: true, error: { code: 'DATABASE_UNAVAILABLE' } } })
  t.ok(refused.headers['retry-after'])
  t.equal((await createClient(app.http, key).get('/v1/me')).status, 401, 'what can be no key needs no database')
})

t.test('while draining it is not ready, and every answer closes its connection', async (t) => {
  const { app, as, tenant, db } = await harness(t, { env: { DB_LOCK_TIMEOUT_MS: '10000' } })
  await tenant.stock([{ sku: 'MUG', onHand: 1 }])
  const holder = await db.connect()
  await holder.query('begin')
  await holder.query('select from stock_levels for update')
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
  const inFlight = as(tenant.key).post('/v1/orders', order)
  await untilBlocked(db)
  t.not((await as().get('/health/ready')).headers.connection, 'close')
  app.drain()
  const ready = await as().get('/health/ready')
  t.match(ready, { status: 503, body: { status: 'failed', checks: [{ name: 'process', detail: 'draining' }] } })
  t.equal(ready.headers.connection, 'close')
  t.equal((await as(tenant.key).get('/v1/me')).headers.connection, 'close', 'requests are still served')
  await holder.query('rollback')
  holder.release()
  const answer = await inFlight
  t.equal(answer.status, 201)
  t.equal(answer.headers.connection, 'close', 'also of what was in flight before')
})
