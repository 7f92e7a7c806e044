import t from 'tap'
import { eventHash, noHash } from '#platform/event-chain.ts'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'

const h = await harness(t)
const { key, organizationId, keyId } = h.tenant
const auditor = h.as(key)
await h.tenant.stock([{ sku: 'MUG', onHand: 5 }])
const customer = { name: 'Mary', email: 'mary@example.com' }
const order = { paymentTerms: 'onAccount', customer, lines: [{ sku: 'MUG', quantity: 1 }] }
const placed = (await auditor.post('/v1/orders', order)).body.data
await auditor.post(`/v1/orders/${placed.id}/cancel`, {})
await relay(h)
const list = async (query: string) => (await auditor.get(`/v1/audit?limit=100${query}`)).body.data
const everything = await list('')

t.test('lists events newest first, as every reader gets them, with what proves them', async (t) => {
  const events = (await auditor.get('/v1/events?limit=100')).body.data
  t.same(
    everything.map(({ event }: { event: unknown }) => event),
    events.toReversed(),
  )
  let previousHash = noHash
  for (const { event, ...proof } of everything.toReversed()) {
    t.equal(proof.previousHash, previousHash)
    t.equal(proof.hash, eventHash({ ...event, organizationId, ...proof }), event.type)
    previousHash = proof.hash
  }
  t.match(
    everything.find(({ event }: { event: { type: string } }) => event.type === 'order.placed').personalDigest,
    /^\w/,
  )
})

t.test('filters by actor, type, resource and time', async (t) => {
  const types = (entries: readonly { event: { type: string } }[]) => entries.map(({ event }) => event.type)
  t.same(types(await list(`&resource=${placed.id}`)).sort(), ['order.cancelled', 'order.confirmed', 'order.placed'])
  t.same(types(await list('&types=order.placed&types=order.cancelled')), ['order.cancelled', 'order.placed'])
  t.same(await list('&types=order.*'), await list(`&resource=${placed.id}`))
  t.same(await list('&types=*'), everything)
  t.same(await list('&types=reservation.expired'), [])
  const { principalId } = (await auditor.get('/v1/me')).body.data
  t.same(await list(`&actor=${principalId}`), await list('&types=order.*'))
  t.same(await list(`&actor=${keyId}`), [])
  t.same((await list('&actor=test')).length, everything.length - 3)
  const { occurredAt } = everything[2].event
  const [before, since] = [await list(`&to=${occurredAt}`), await list(`&from=${occurredAt}`)]
  t.same([...since, ...before], everything)
  t.ok(before.length > 0 && since.length >= 3)
})

t.test('goes through pages in both directions', async (t) => {
  for (const query of ['', '&types=order.*&types=location.*']) {
    const whole = await list(query)
    const first = (await auditor.get(`/v1/audit?limit=2${query}`)).body
    const second = (await auditor.get(`/v1/audit?limit=2${query}&after=${first.meta.page.nextCursor}`)).body
    t.same([...first.data, ...second.data], whole.slice(0, 4))
    const back = (await auditor.get(`/v1/audit?limit=2${query}&before=${second.meta.page.previousCursor}`)).body
    t.same(back.data, first.data)
  }
})

t.test('is closed to a key that sees some orders alone, and empty of what others did', async (t) => {
  const bound = await auditor.post('/v1/api-keys', { name: 'shop', scopes: ['audit:read'], allowedSources: ['shop'] })
  const answer = await h.as(bound.body.data.secret).get('/v1/audit')
  t.match({ status: answer.status, code: answer.body.error.code }, { status: 403, code: 'WHOLE_LEDGER_ONLY' })
  const stranger = await h.otherTenant()
  await relay(h)
  const theirs = (await h.as(stranger.key).get('/v1/audit')).text
  t.notMatch(theirs, organizationId)
  t.notMatch(theirs, placed.id)
})
