import t from 'tap'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'

const h = await harness(t)
const { as, tenant, otherTenant, db } = h
const stranger = await otherTenant()
const reader = as(tenant.key)
await tenant.stock([{ sku: 'MUG', onHand: 1_000 }])

const place = async (more: object = {}, client = reader) =>
  (await client.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }], ...more })).body
    .data
const list = async (query = '', client = reader) => {
  const { status, body, text } = await client.get(`/v1/events${query}`)
  if (status !== 200) throw new Error(text)
  return { events: body.data, page: body.meta.page }
}
const sequences = (events: readonly { sequence: number }[]) => events.map(({ sequence }) => sequence)

const orders = [await place(), await place(), await place({ source: 'shop', externalId: '1' })]
const total = await relay(h).then(async () => {
  const { rows } = await db.query('select sequence from event_heads where organization_id = $1', [
    tenant.organizationId,
  ])
  return Number(rows[0].sequence)
})

t.test('lists every event from the first on, oldest first and without gaps', async (t) => {
  const { events, page } = await list('?limit=100')
  t.same(
    sequences(events),
    Array.from({ length: total }, (_, index) => index + 1),
  )
  t.same(page, { nextCursor: String(total), previousCursor: null, hasMore: false })
  const placed = events.find(({ type }: { type: string }) => type === 'order.placed')
  t.match(placed, {
    id: /^evt_/,
    schemaVersion: 1,
    actor: { type: 'apiKey', keyId: tenant.keyId },
    requestId: /^req_/,
    resource: { type: 'order', id: orders[0].id, version: 1 },
    changed: [],
    data: { id: orders[0].id, status: 'pending', lines: [{ sku: 'MUG' }] },
  })
})

t.test('goes on from a position, page by page, and knows where to go on from at the end', async (t) => {
  const seen: number[] = []
  let after = '0'
  for (let hasMore = true; hasMore; ) {
    const { events, page } = await list(`?limit=3&after=${after}`)
    t.ok(events.length <= 3)
    seen.push(...sequences(events))
    ;({ nextCursor: after, hasMore } = page)
  }
  t.same(
    seen,
    Array.from({ length: total }, (_, index) => index + 1),
  )
  t.equal(after, String(total))
  t.same(await list(`?after=${after}`), {
    events: [],
    page: { nextCursor: after, previousCursor: null, hasMore: false },
  })
})

t.test('filters by type, by all types of a resource and by one resource', async (t) => {
  const typesOf = (events: readonly { type: string }[]) => [...new Set(events.map(({ type }) => type))].sort()
  t.same(typesOf((await list('?types=order.placed')).events), ['order.placed'])
  t.same(typesOf((await list('?types=order.*&limit=100')).events), ['order.confirmed', 'order.placed'])
  t.same(typesOf((await list('?types=order.placed&types=location.*')).events), ['location.created', 'order.placed'])
  t.same((await list('?types=*&limit=100')).events.length, total)
  const { events } = await list(`?resource=${orders[1].id}`)
  t.same(typesOf(events), ['order.confirmed', 'order.placed'])
  t.ok(events.every(({ resource }: { resource: { id: string } }) => resource.id === orders[1].id))
  const both = await list(`?resource=${orders[1].id}&types=order.placed`)
  t.same(typesOf(both.events), ['order.placed'])
  const merged = await list('?types=order.*&limit=2')
  t.ok(merged.page.hasMore)
  const rest = await list(`?types=order.*&limit=100&after=${merged.page.nextCursor}`)
  t.equal(merged.events.length + rest.events.length, 6)
})

t.test('a filter that leaves out everything moves on all the same', async (t) => {
  const { events, page } = await list('?types=stock.mismatch')
  t.same(events, [])
  t.same(page, { nextCursor: String(total), previousCursor: null, hasMore: false })
})

const members = 'id,sequence,type,schemaVersion,occurredAt,actor,requestId,resource,changed,data'

t.test('a single event has the bytes it has in the list', async (t) => {
  const { data } = await reader.get('/v1/events?limit=100')
  const { events } = await list('?limit=100')
  for (const { id } of events.slice(0, 5)) t.ok(data.includes((await reader.get(`/v1/events/${id}`)).data))
  const first = await reader.get(`/v1/events/${events[0].id}`)
  const { actor, resource } = first.body.data
  t.same(Object.keys(first.body.data).join(), members)
  t.same([Object.keys(actor).join(), Object.keys(resource).join()], ['type,id,keyId', 'type,id,version'])
  t.equal((await reader.get(`/v1/events/${events[0].id}`, { 'if-none-match': first.headers.etag ?? '' })).status, 304)
})

t.test('a position that is no longer kept is refused, and the oldest one is named', async (t) => {
  await db.query(`update event_heads set floor_sequence = 5, floor_hash = hash where organization_id = $1`, [
    tenant.organizationId,
  ])
  t.teardown(() => db.query('update event_heads set floor_sequence = 0, floor_hash = null'))
  for (const after of [0, 4]) {
    const { status, body } = await reader.get(`/v1/events?after=${after}`)
    t.equal(status, 410)
    t.match(body, { error: { code: 'CURSOR_EXPIRED' }, errors: [{ field: 'after', suggestion: '5' }] })
  }
  t.equal((await list('?after=5&limit=100')).events[0].sequence, 6)
  t.equal((await reader.get('/v1/events')).status, 200, 'without a position it begins with what is there')
})

t.test('a position that nobody has been given is refused', async (t) => {
  const { status, body } = await reader.get(`/v1/events?after=${total + 1}`)
  t.match({ status, body }, { status: 400, body: { error: { code: 'POSITION_AHEAD' } } })
})

t.test('refuses what is no position, type, limit or parameter', async (t) => {
  for (const query of [
    'after=-1',
    'after=x',
    'after=1.5',
    'after=9007199254740992',
    'after=',
    'types=nonsense',
    'types=order.',
    'types=Order.*',
    'limit=0',
    'limit=101',
    'resource=',
    `resource=${'x'.repeat(201)}`,
    'before=3',
    'cursor=3',
  ]) {
    const { status, body } = await reader.get(`/v1/events?${query}`)
    t.match({ status, code: body.error?.code }, { status: 422, code: 'VALIDATION_FAILED' }, query)
  }
  t.equal((await reader.get('/v1/events/evt_nonsense')).status, 422)
})

t.test('shows nothing of another tenant, by whatever position or id', async (t) => {
  const theirs = as(stranger.key)
  const { events } = await list('?limit=100', theirs)
  t.equal(events[0].sequence, 1, 'its own sequence')
  const { events: mine } = await list('?limit=100')
  const ids = new Set(mine.map(({ id }: { id: string }) => id))
  t.notOk(events.some(({ id }: { id: string }) => ids.has(id)))
  t.same((await list(`?resource=${orders[0].id}`, theirs)).events, [])
  const foreign = await theirs.get(`/v1/events/${mine[0].id}`)
  t.match({ status: foreign.status, code: foreign.body.error.code }, { status: 404, code: 'EVENT_NOT_FOUND' })
})

t.test('a key that is bound to sources sees the orders of these, and nothing else', async (t) => {
  const { body } = await reader.post('/v1/api-keys', {
    name: 'shop',
    scopes: ['events:read'],
    allowedSources: ['shop'],
  })
  const shop = as(body.data.secret)
  const { events, page } = await list('?limit=100', shop)
  t.equal(events.length, 2)
  t.same(page, { nextCursor: String(total), previousCursor: null, hasMore: false })
  t.same((await list('?types=order.*', shop)).events, events)
  t.same((await list('?types=location.*&types=stock.*', shop)).events, [])
  const level = (await list('?types=location.created')).events[0].id
  t.equal((await shop.get(`/v1/events/${level}`)).status, 404)
  t.ok(events.every(({ data }: { data: { source: string } }) => data.source === 'shop'))
  const hidden = (await list(`?resource=${orders[0].id}`)).events[0].id
  t.equal((await shop.get(`/v1/events/${hidden}`)).status, 404)
  t.equal((await shop.get(`/v1/events/${events[0].id}`)).status, 200)
  t.same((await list(`?resource=${orders[0].id}`, shop)).events, [])
})
