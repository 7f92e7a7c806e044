import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'
import { followStream } from '#test/stream-reader.ts'
import { until } from '#test/until.ts'

const env = { STREAM_HEARTBEAT_MS: '1000', STREAMS_PER_KEY: '3', STREAMS_PER_ORGANIZATION: '5' }
let reads = 0
const h = await harness(t, {
  env: { ...env, AUTHENTICATION_CACHE_TTL_MS: '1000' },
  replace: ({ unitOfWork }) => ({
    unitOfWork: {
      ...unitOfWork,
      read: (origin, run) => {
        reads++
        return unitOfWork.read(origin, run)
      },
    },
  }),
})
const { as, tenant, otherTenant, db } = h
const stranger = await otherTenant()
const operator = as(tenant.key)
await tenant.stock([{ sku: 'MUG', onHand: 100_000 }])
const url = (await h.app.http.listen({ host: '127.0.0.1', port: 0 })) as string
const place = (more: object = {}) =>
  operator.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }], ...more })
const head = async (organizationId = tenant.organizationId): Promise<number> => {
  await relay(h)
  const { rows } = await db.query('select sequence from event_heads where organization_id = $1', [organizationId])
  return Number(rows[0].sequence)
}
const follow = (t: Test, query = '', headers: Record<string, string> = {}, key = tenant.key) =>
  followStream(t, `${url}/v1/events/stream${query}`, { authorization: `Bearer ${key}`, ...headers })

t.test('sends what happens after a position, then what happens from now on, in order', async (t) => {
  await place()
  const reached = await head()
  const stream = await follow(t, '?after=0')
  t.match(stream.headers, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': /^req_/ })
  await until('all of the past', () => stream.events.length === reached)
  await place()
  const now = await head()
  await until('the present', () => stream.events.length === now)
  t.same(
    stream.events.map(({ id }) => id),
    Array.from({ length: now }, (_, index) => String(index + 1)),
  )
  const { data } = await operator.get('/v1/events?limit=100')
  t.equal(`[${stream.events.map((event) => event.data).join(',')}]`, data, 'byte by byte what the list says')
  t.ok(stream.events.every(({ type, data }) => JSON.parse(data).type === type))
  t.match(stream.text(), /^retry: \d+\nid: 0\n\n/)
})

t.test('begins with the next event where no position is given, and tells the position at once', async (t) => {
  const reached = await head()
  const stream = await follow(t)
  await until('the position', () => stream.text().includes(`id: ${reached}\n\n`))
  await place()
  const now = await head()
  await until('the events', () => stream.events.length === now - reached)
})

t.test('Last-Event-ID wins over after', async (t) => {
  const reached = await head()
  const stream = await follow(t, '?after=0', { 'last-event-id': String(reached - 1) })
  await until('one event', () => stream.events.length === 1)
  t.equal(stream.events[0]?.id, String(reached))
})

t.test('filters by type and resource, of the past and live, and moves the position on all the same', async (t) => {
  const { id } = (await place()).body.data
  await head()
  const typed = await follow(t, '?types=order.placed&after=0')
  const one = await follow(t, `?resource=${id}&after=0`)
  await until('the past', () => one.events.length === 2)
  await place()
  const reached = await head()
  await until('the position has moved on', () => one.text().includes(`\nid: ${reached}\n\n`))
  t.same(
    one.events.map(({ type }) => type),
    ['order.placed', 'order.confirmed'],
  )
  await until('both', () => typed.events.length >= 3)
  t.same([...new Set(typed.events.map(({ type }) => type))], ['order.placed'])
  await until('the position has moved on here', () => typed.text().includes(`\nid: ${reached}\n\n`))
})

t.test('a silent stream says that it lives', async (t) => {
  const stream = await follow(t)
  const before = stream.text().length
  await until('a comment', () => stream.text().slice(before).includes(':\n\n'), 4_000)
  t.same(stream.events, [])
})

t.test('a batch is read once, however many read it', async (t) => {
  const streams = await Promise.all(['', '', ''].map(() => follow(t)))
  await sleep(200)
  const before = reads
  await place()
  await head()
  await until('all have it', () => streams.every(({ events }) => events.length === 2))
  t.same(streams[0]?.events, streams[1]?.events)
  t.equal(reads - before, 1)
})

t.test('refuses more streams than are allowed, and takes them again when others have ended', async (t) => {
  const streams = await Promise.all(['', '', ''].map(() => follow(t)))
  const refused = await operator.get('/v1/events/stream')
  t.match(
    { status: refused.status, code: refused.body.error.code, after: refused.headers['retry-after'] },
    { status: 429, code: 'TOO_MANY_STREAMS', after: '5' },
  )
  const colleague = await tenant.keyWith(['events:read'])
  const more = await Promise.all(['', ''].map(() => follow(t, '', {}, colleague)))
  const full = await as(await tenant.keyWith(['events:read'])).get('/v1/events/stream')
  t.match(full.body.error, { code: 'TOO_MANY_STREAMS', message: /organization/ })
  t.equal((await follow(t, '', {}, stranger.key)).status, 200, 'others are not concerned')
  for (const stream of [...streams, ...more]) stream.close()
  await until('there is room again', async () => (await operator.get('/v1/events/stream')).status === 200)
})

t.test('a key that is revoked or expires ends its streams', async (t) => {
  const keyOf = async () => {
    const { body } = await operator.post('/v1/api-keys', { name: 'one', scopes: ['events:read'] })
    return body.data
  }
  const [revoked, expiring] = [await keyOf(), await keyOf()]
  const streams = [await follow(t, '', {}, revoked.secret), await follow(t, '', {}, expiring.secret)]
  const other = await follow(t)
  await db.query(`update api_keys set expires_at = now() where id = $1`, [expiring.id])
  await operator.post(`/v1/api-keys/${revoked.id}/revoke`, {})
  await until('both have ended', () => streams.every(({ ended }) => ended()), 6_000)
  t.match(streams[0]?.text(), /retry: \d+\nid: \d+\n: goodbye\n\n$/)
  t.notOk(other.ended())
})

t.test('refuses positions that would leave out events', async (t) => {
  const reached = await head()
  const ask = async (query: string, headers = {}) => {
    const { status, body } = await operator.get(`/v1/events/stream${query}`, headers)
    return `${status} ${body?.error.code}`
  }
  t.equal(await ask(`?after=${reached + 1}`), '400 POSITION_AHEAD')
  t.equal(await ask('', { 'last-event-id': String(reached + 1) }), '400 POSITION_AHEAD')
  t.equal(await ask('', { 'last-event-id': 'evt_1' }), '400 MALFORMED_REQUEST')
  t.equal(await ask('', { 'last-event-id': '9007199254740993' }), '400 MALFORMED_REQUEST')
  t.equal(await ask('?after=x'), '422 VALIDATION_FAILED')
  t.equal(await ask('?limit=3'), '422 VALIDATION_FAILED')
  await db.query(`update event_heads set floor_sequence = 2, floor_hash = hash`)
  t.equal(await ask('?after=1'), '410 CURSOR_EXPIRED')
  t.equal(await ask('', { 'last-event-id': '1' }), '410 CURSOR_EXPIRED')
  await db.query(`update event_heads set floor_sequence = 0, floor_hash = null`)
  const html = await operator.get('/v1/events/stream', { accept: 'text/html' })
  t.equal(html.status, 406)
})

t.test('HEAD answers as GET would, and ends', async (t) => {
  const response = await fetch(`${url}/v1/events/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${tenant.key}` },
  })
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), 'text/event-stream')
})

t.test('a position of one tenant shows another one nothing but its own', async (t) => {
  const theirs = await head(stranger.organizationId)
  const stream = await follow(t, '', { 'last-event-id': '0' }, stranger.key)
  await until('their past', () => stream.events.length === theirs)
  await place()
  await head()
  await sleep(300)
  t.equal(stream.events.length, theirs, 'nothing of what happens elsewhere')
  t.ok(stream.text().includes(stranger.organizationId))
  t.notOk(stream.text().includes(tenant.organizationId))
})

t.test('a key that is bound to sources follows the orders of these alone', async (t) => {
  const bound = { name: 'shop', scopes: ['events:read'], allowedSources: ['shop'] }
  const { secret } = (await operator.post('/v1/api-keys', bound)).body.data
  await head()
  const stream = await follow(t, '', {}, secret)
  await sleep(200)
  await place()
  await tenant.stock([{ sku: 'NOT FOR THEM', onHand: 1 }])
  await place({ source: 'shop', externalId: '1' })
  await head()
  await until('its order', () => stream.events.length === 2)
  t.ok(stream.events.every(({ data }) => JSON.parse(data).data.source === 'shop'))
})
