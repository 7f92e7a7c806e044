import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { harness } from './harness.ts'
import { launch } from './launched.ts'
import { freePort } from './server-process.ts'
import { until, untilBlocked } from './until.ts'

const h = await harness(t)
await h.tenant.stock([{ sku: 'MUG', onHand: 100 }])
const env = { DATABASE_URL: h.databaseUrl, DB_LOCK_TIMEOUT_MS: '30000', DB_STATEMENT_TIMEOUT_MS: '30000' }

/** A connection that is kept, spoken to piece by piece. */
async function dial(t: Test, url = '') {
  const { port, hostname } = new URL(url)
  const socket: Socket = connect(Number(port), hostname)
  const state = { received: '', closed: false }
  socket.on('data', (data) => {
    state.received += data
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    state.closed = true
  })
  t.teardown(() => socket.destroy())
  return { socket, state, answered: (part: string) => until(part, () => state.received.includes(part)) }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n`
const placing = (key: string) => {
  const body = JSON.stringify({ paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] })
  return [
    'POST /v1/orders HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${h.tenant.key}`,
    'Content-Type: application/json',
    `Idempotency-Key: ${key}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

/** Keeps the stock locked until it is told to let go. */
async function holdStock(t: Test) {
  const holder = await h.db.connect()
  await holder.query('begin')
  await holder.query('select from stock_levels for update')
  let held = true
  const letGo = async () => {
    if (held) await holder.query('rollback')
    if (held) holder.release()
    held = false
  }
  t.teardown(letGo)
  return letGo
}

t.test('SIGTERM under load: not ready at once, what is in flight is answered, then it ends with 0', async (t) => {
  const server = launch(t, 'server.ts', { ...env, SHUTDOWN_GRACE_MS: '60000' })
  const { url } = await server.ready
  const letGo = await holdStock(t)
  const placed = await dial(t, url)
  placed.socket.write(placing('sigterm'))
  await untilBlocked(h.db)
  const idle = await dial(t, url)
  idle.socket.write(`${get('/health/live')}\r\n`)
  await idle.answered('{"status":"ok"}')
  const late = await dial(t, url)
  late.socket.write(get('/health/ready'))
  let load = true
  t.teardown(() => {
    load = false
  })
  const codes = new Set<number>()
  const pinging = Array.from({ length: 4 }, async () => {
    // What meets a closed door is not an answer; every answer must be a good one.
    while (load)
      await fetch(`${url}/health/live`).then(
        ({ status }) => codes.add(status),
        () => {},
      )
  })
  await until('the load is on', () => codes.size > 0)

  server.child.kill('SIGTERM')
  await until('new connections are refused', () =>
    fetch(`${url}/health/live`).then(
      () => false,
      () => true,
    ),
  )
  await until('idle connections are closed', () => idle.state.closed)
  late.socket.write('\r\n')
  await late.answered('"draining"')
  t.match(late.state.received, /^HTTP\/1\.1 503 /)
  t.match(late.state.received, /connection: close/i)
  t.equal(placed.state.received, '', 'still at work')
  await letGo()
  await placed.answered('"success":true')
  t.match(placed.state.received, /^HTTP\/1\.1 201 /)
  t.match(placed.state.received, /connection: close/i)
  t.equal(await server.ended, 0, 'long before the grace is over')
  load = false
  await Promise.all(pinging)
  t.same([...codes], [200])
  t.equal((await h.db.query(`select from idempotency_keys where key = 'sigterm'`)).rowCount, 1)
  t.match(server.log().at(-1), { level: 'info' })
  t.equal(server.stderr(), '')
})

t.test('what is still in flight when the grace is over is cut off, and it ends all the same', async (t) => {
  const server = launch(t, 'server.ts', { ...env, DB_LOCK_TIMEOUT_MS: '1500', SHUTDOWN_GRACE_MS: '300' })
  const { url } = await server.ready
  const letGo = await holdStock(t)
  const placed = await dial(t, url)
  placed.socket.write(placing('cut-off'))
  await untilBlocked(h.db)
  server.child.kill('SIGINT')
  await until('its connection is closed', () => placed.state.closed)
  t.equal(placed.state.received, '')
  t.equal(await server.ended, 0)
  await letGo()
  t.equal((await h.db.query(`select from idempotency_keys where key = 'cut-off'`)).rowCount, 0)
})

t.test('a second signal ends it at once', async (t) => {
  const server = launch(t, 'server.ts', { ...env, SHUTDOWN_GRACE_MS: '60000' })
  const { url } = await server.ready
  const letGo = await holdStock(t)
  const placed = await dial(t, url)
  placed.socket.write(placing('second-signal'))
  await untilBlocked(h.db)
  server.child.kill('SIGTERM')
  await until('new connections are refused', () =>
    fetch(`${url}/health/live`).then(
      () => false,
      () => true,
    ),
  )
  server.child.kill('SIGTERM')
  t.equal(await server.ended, 1)
  t.equal(placed.state.received, '')
  await letGo()
})

t.test('a defect that nobody caught is logged, and it ends with 1', async (t) => {
  const defect = 'process.once("message", () => Promise.reject(new Error("planted")))'
  const server = launch(t, 'server.ts', env, ['--import', `data:text/javascript,${encodeURIComponent(defect)}`])
  await server.ready
  server.child.send('now')
  t.equal(await server.ended, 1)
  const fatal = server.log().find(({ level }) => level === 'fatal')
  t.match(fatal, { message: 'defect that nobody caught', err: { message: 'planted', stack: /planted/ } })
})

t.test('what keeps it from starting is told in one line, with exit code 1', async (t) => {
  const taken = new URL((await h.app.http.listen({ host: '127.0.0.1', port: 0 })) as string).port
  const cases: readonly [Record<string, string>, RegExp][] = [
    [{ DATABASE_URL: `postgres://x@localhost:${await freePort()}/x` }, /^purser: .*ECONNREFUSED/],
    [{ DATABASE_URL: `${h.databaseUrl}_missing` }, /^purser: .*does not exist/],
    [{ ...env, NODE_ENV: 'production' }, /^purser: .*SIGNING_SECRET must be set in production; ENCRYPTION_KEY must be/],
    [{ ...env, PORT: taken }, /^purser: .*EADDRINUSE/],
  ]
  const attempt = async ([variables, message]: (typeof cases)[number]) => {
    const server = launch(t, 'server.ts', variables)
    t.equal(await server.ended, 1, message.source)
    t.match(server.stderr(), message)
    t.equal(server.stderr().trimEnd().split('\n').length, 1, message.source)
  }
  await Promise.all(cases.map(attempt))
})
