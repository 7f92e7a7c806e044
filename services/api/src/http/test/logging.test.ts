import t from 'tap'
import { DatabaseUnavailable } from '#platform/database-errors.ts'
import { captureLog, type LogLine } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'

const captured = captureLog('debug')
let failure: Error | null = null
const h = await harness(t, {
  log: captured.log,
  env: { RATE_LIMIT_FAILED_AUTHENTICATION: '1000' },
  replace: (made) => ({
    unitOfWork: {
      ...made.unitOfWork,
      read: (origin, run) => (failure ? Promise.reject(failure) : made.unitOfWork.read(origin, run)),
    },
  }),
})
await h.tenant.stock([{ sku: 'MUG', onHand: 5 }])
const client = h.as(h.tenant.key)
const order = (quantity: number) => ({ paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity }] })

/** The lines of one exchange. */
async function linesOf(exchange: () => Promise<unknown>): Promise<readonly LogLine[]> {
  captured.take()
  await exchange()
  return captured.take().filter(({ requestId }) => requestId === 'logged')
}
const id = { 'x-request-id': 'logged' }

t.test('writes one line per answer, with the names of OpenTelemetry', async (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const url = '/v1/orders/ord_00000000000000000000000000?'
  const lines = await linesOf(() => client.get(url, { ...id, traceparent }))
  const responses = lines.filter(({ message }) => message === 'response')
  t.equal(responses.length, 1)
  t.match(responses[0], {
    level: 'info',
    'service.name': 'purser-test',
    'http.request.method': 'GET',
    'http.route': '/v1/orders/:orderId',
    'url.path': '/v1/orders/ord_00000000000000000000000000',
    'http.response.status_code': 404,
    'client.address': '127.0.0.1',
    durationMs: Number,
    time: /^\d{4}-\d\d-\d\dT.*Z$/,
  })
  const requests = lines.filter(({ message }) => message === 'request')
  t.same(
    requests.map(({ level }) => level),
    ['debug'],
    'the request line is for debugging',
  )
  for (const line of lines) {
    t.equal(line.traceId, '0af7651916cd43dd8448eb211c80319c')
    t.match(line.spanId, /^[0-9a-f]{16}$/)
    t.not(line.spanId, 'b7ad6b7169203331')
  }
  const known = lines.filter(({ message }) => message !== 'request')
  for (const line of known) t.equal(line.organizationId, h.tenant.organizationId)
  t.equal(new Set(lines.map(({ spanId }) => spanId)).size, 1)
})

t.test('the level follows from the status', async (t) => {
  const { id: done } = (await client.post('/v1/orders', order(1))).body.data
  await client.post(`/v1/orders/${done}/cancel`, {})
  const cases: readonly [number, string, () => Promise<unknown>][] = [
    [400, 'warn', () => client.get('/v1/orders?after=x', id)],
    [400, 'warn', () => client.post('/v1/orders', order(1), { ...id, 'idempotency-key': '' })],
    [401, 'warn', () => h.as().get('/v1/me', id)],
    [403, 'warn', async () => h.as(await h.tenant.keyWith(['orders:read'])).get('/v1/products', id)],
    [404, 'info', () => client.get('/v1/orders/ord_00000000000000000000000000', id)],
    [404, 'info', () => client.get('/v1/nowhere', id)],
    [405, 'info', () => client.send({ method: 'DELETE', url: '/v1/orders', headers: id })],
    [406, 'info', () => client.get('/v1/me', { ...id, accept: 'text/html' })],
    [409, 'warn', () => client.post('/v1/orders', order(99), id)],
    [412, 'info', () => client.patch('/v1/organization', { name: 'x' }, { ...id, 'if-match': '"9"' })],
    [413, 'info', () => client.post('/v1/orders', { notes: 'x'.repeat(1_100_000) }, id)],
    [415, 'info', () => client.post('/v1/orders', 'x', { ...id, 'content-type': 'text/plain' })],
    [422, 'warn', () => client.get('/v1/orders?limit=0', id)],
    [428, 'info', () => client.patch('/v1/organization', { name: 'x' }, id)],
  ]
  for (const [status, level, exchange] of cases) {
    const lines = await linesOf(exchange)
    const problems = lines.filter((line) => 'error.code' in line)
    t.same(
      problems.map((line) => line.level),
      [level],
      `${status}`,
    )
    t.equal(lines.at(-1)?.['http.response.status_code'], status)
    t.equal(lines.at(-1)?.level, 'info')
  }
})

t.test('a defect is logged with its stack and answered without', async (t) => {
  failure = new Error('a defect in this test')
  const lines = await linesOf(async () => {
    const { status, body, text } = await client.get('/v1/me', id)
    t.equal(status, 500)
    t.equal(body.error.code, 'INTERNAL_ERROR')
    t.notMatch(text, /defect in this test|stack/)
  })
  failure = null
  const [line] = lines.filter(({ level }) => level === 'error')
  t.match(line, {
    'error.code': 'INTERNAL_ERROR',
    err: { message: /a defect in this test/, stack: /logging\.test\.ts/ },
  })
})

t.test('an outage is logged as a warning, with its cause', async (t) => {
  failure = new DatabaseUnavailable({ cause: new Error('the wire is cut') })
  const lines = await linesOf(async () => t.equal((await client.get('/v1/me', id)).status, 503))
  failure = null
  const [line] = lines.filter((entry) => 'error.code' in entry)
  t.match(line, { level: 'warn', 'error.code': 'DATABASE_UNAVAILABLE', err: { message: 'the wire is cut' } })
})

t.test('no line ever holds a credential or a personal field', async (t) => {
  const personal = {
    customer: { name: 'Nancy Canary', email: 'canary@feathers.example', phone: '+44 20 7946 0958' },
    shippingAddress: { line1: '17 Canary Wharf', city: 'Canaryville', country: 'GB', postalCode: 'E14 5AB' },
    billingAddress: { line1: '18 Songbird Street', city: 'Birdtown', country: 'GB', name: 'Bill Payer' },
    notes: 'leave it with the songbird',
  }
  const key = 'canary-idempotency-key'
  const body = { ...order(1), ...personal }
  const created = await client.post('/v1/api-keys', { name: 'a', scopes: ['orders:read'] }, { 'idempotency-key': key })
  await client.post('/v1/api-keys', { name: 'a', scopes: ['orders:read'] }, { 'idempotency-key': key })
  await client.post('/v1/orders', body, { 'idempotency-key': `${key}-2`, cookie: 'session=canary-cookie' })
  await client.post('/v1/orders', body, { 'idempotency-key': `${key}-2` })
  await client.post('/v1/orders', { ...body, ...order(99) })
  await client.post('/v1/orders', { ...body, customer: { ...personal.customer, email: 'canary@@feathers.example' } })
  await client.post('/v1/orders', `${JSON.stringify(body)}}`, { 'content-type': 'application/json' })
  await h.as('sk_test_canaryWrongKey').get('/v1/me')
  await client.get('/v1/me?x=1', { authorization: 'Basic canaryBasic' })

  // PostgreSQL quotes what it could not read: detail and context of the error hold it.
  await h.db.query(`create function break_order() returns trigger language plpgsql as
    $$ begin perform (new.customer::text || 'x')::jsonb; return new; end $$`)
  await h.db.query('create trigger broken before insert on orders for each row execute function break_order()')
  const failed = await client.post('/v1/orders', body)
  t.equal(failed.status, 500)
  await h.db.query('drop trigger broken on orders')

  captured.log.info({ customer: personal.customer, headers: { authorization: 'Bearer canary-header' } }, 'by mistake')
  captured.log.warn({ order: { ...personal, secret: created.body.data.secret }, token: 'canary-token' }, 'by mistake')
  captured.log.error({ req: { headers: { cookie: 'canary-cookie', authorization: 'x canary-header' } } }, 'by mistake')

  const everything = captured.raw.join('')
  t.ok(captured.raw.length > 50, 'there was something to look through')
  t.match(everything, 'by mistake')
  const canaries = [
    h.tenant.key,
    created.body.data.secret,
    key,
    ...Object.values(personal).flatMap((part) => (typeof part === 'string' ? [part] : Object.values(part))),
    'canaryWrongKey',
    'canaryBasic',
    'canary-cookie',
    'canary-header',
    'canary-token',
  ].filter((canary) => canary !== 'GB')
  for (const canary of canaries) t.notOk(everything.includes(canary), canary.slice(0, 12))
})

t.test('every line is JSON and names its service', async (t) => {
  for (const line of captured.raw)
    t.match(JSON.parse(line), { level: String, time: String, 'service.name': 'purser-test' })
})
