import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'

const h = await harness(t)
const client = h.as(h.tenant.key)
const list = '/v1/webhook-deliveries'
const endpoints = [await createEndpoint(), await createEndpoint()] as const

async function createEndpoint(): Promise<string> {
  const made = await client.post('/v1/webhook-endpoints', { url: 'https://hooks.shop.example/purser' })
  return made.body.data.id
}

interface Made {
  readonly endpointId?: string
  readonly type?: string
  readonly state?: string
  readonly at?: string
}

async function insert({ endpointId = endpoints[0], type = 'order.placed', state = 'pending', at }: Made) {
  const [id, eventId] = [newId('dlv'), newId('evt')]
  await h.db.query(
    `insert into webhook_deliveries (organization_id, id, endpoint_id, event_id, event_type, sequence, resource_id, state,
       due_at, created_at, delivered_at)
     values ($1, $2, $3, $4, $5, 1, 'ord_1', $6, now(), coalesce($7, now()), case when $6 = 'delivered' then now() end)`,
    [h.tenant.organizationId, id, endpointId, eventId, type, state, at ?? null],
  )
  return { id, eventId }
}

const idsAt = async (query: string) => {
  const answer = await client.get(`${list}?${query}`)
  t.equal(answer.status, 200, answer.text)
  return answer.body.data.map(({ id }: { id: string }) => id)
}

t.test('lists deliveries newest first, by endpoint, event, state, type and time', async (t) => {
  const a = await insert({})
  const b = await insert({ state: 'dead', type: 'order.cancelled' })
  const c = await insert({ state: 'delivered', endpointId: endpoints[1] })
  const d = await insert({ state: 'cancelled', endpointId: endpoints[1] })
  const all = [d, c, b, a].map(({ id }) => id)
  t.same(await idsAt(''), all)
  t.same(await idsAt(`endpointId=${endpoints[0]}`), [b.id, a.id])
  t.same(await idsAt(`eventId=${c.eventId}`), [c.id])
  t.same(await idsAt('state=dead'), [b.id])
  t.same(await idsAt('state=dead&state=delivered&state=cancelled'), [d.id, c.id, b.id])
  t.same(await idsAt('type=order.cancelled'), [b.id])
  t.same(await idsAt(`state=pending&type=order.placed&endpointId=${endpoints[0]}`), [a.id])
  const soon = new Date(Date.now() + 60_000).toISOString()
  const earlier = new Date(Date.now() - 60_000).toISOString()
  t.same(await idsAt(`createdFrom=${earlier}&createdTo=${soon}`), all)
  t.same(await idsAt(`createdFrom=${soon}`), [])
  t.same(await idsAt(`createdTo=${earlier}`), [])
  const page = await client.get(`${list}?limit=3&state=pending&state=dead&state=delivered&state=cancelled`)
  const next = await client.get(
    `${list}?limit=3&state=pending&state=dead&state=delivered&state=cancelled&after=${page.body.meta.page.nextCursor}`,
  )
  t.same(
    [...page.body.data, ...next.body.data].map(({ id }: { id: string }) => id),
    all,
  )
})

t.test('shows a delivery with its attempts in order', async (t) => {
  const { id } = await insert({ state: 'dead' })
  for (const [number, status] of [
    [1, 500],
    [2, null],
  ])
    await h.db.query(
      `insert into webhook_attempts (organization_id, id, delivery_id, endpoint_id, number, at, duration_ms, status, error,
         response_excerpt)
       values ($1, $2, $3, $4, $5, now(), 12, $6, $7, $8)`,
      [
        h.tenant.organizationId,
        newId('wat'),
        id,
        endpoints[0],
        number,
        status,
        status ? null : 'TIMEOUT',
        status ? 'no' : null,
      ],
    )
  const { data } = (await client.get(`${list}/${id}`)).body
  t.match(data, { id, state: 'dead', dueAt: null })
  t.match(data.attemptLog, [
    { number: 1, status: 500, error: null, responseExcerpt: 'no', durationMs: 12 },
    { number: 2, status: null, error: 'TIMEOUT', responseExcerpt: null },
  ])
  const other = await h.otherTenant()
  t.equal((await h.as(other.key).get(`${list}/${id}`)).body.error.code, 'WEBHOOK_DELIVERY_NOT_FOUND')
  t.same((await h.as(other.key).get(list)).body.data, [])
})
