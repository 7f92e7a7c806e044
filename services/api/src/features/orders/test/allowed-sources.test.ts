import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, db } = await harness(t)
const operator = as(tenant.key)
await tenant.stock([{ sku: 'MUG', onHand: 1_000 }])
const scopes = ['orders:read', 'orders:write', 'orders:price', 'apiKeys:read', 'apiKeys:write']

const keyOf = async (allowedSources: readonly string[]) =>
  (await operator.post('/v1/api-keys', { name: 'partner', scopes, allowedSources })).body.data
const partnerKey = await keyOf(['market', 'outlet'])
const partner = as(partnerKey.secret)

let count = 0
const order = (source?: string) => ({
  paymentTerms: 'onAccount',
  lines: [{ sku: 'MUG', quantity: 1 }],
  ...(source === undefined ? {} : { source, externalId: `E-${++count}` }),
})
const place = async (source?: string) => (await operator.post('/v1/orders', order(source))).body.data
const [own, shops, sourceless] = [await place('market'), await place('shop'), await place()]
const idsOf = ({ body }: Answer): string[] => body.data.map(({ id }: { id: string }) => id)

t.test('a key shows the sources it is bound to, its rotation as well', async (t) => {
  t.same(partnerKey.allowedSources, ['market', 'outlet'])
  t.same((await partner.get('/v1/me')).body.data.apiKey.allowedSources, ['market', 'outlet'])
  const rotated = (await operator.post(`/v1/api-keys/${partnerKey.id}/rotate`, {})).body.data
  t.same(rotated.allowedSources, ['market', 'outlet'])
  t.equal((await as(rotated.secret).get(`/v1/orders/${shops.id}`)).status, 404)
})

t.test('places orders of its sources, and of no others', async (t) => {
  for (const source of ['market', 'outlet'])
    t.equal((await partner.post('/v1/orders', order(source))).body.data.source, source)
  for (const body of [order('shop'), order('MARKET'), order()]) {
    const answer = await partner.post('/v1/orders', body)
    t.same(tally([answer]), { '403 SOURCE_NOT_ALLOWED': 1 })
    t.match(answer.body.errors, [{ pointer: '/source', code: 'SOURCE_NOT_ALLOWED' }])
  }
})

t.test('learns nothing of the external ids of other sources', async (t) => {
  const twin = { ...order('shop'), externalId: shops.externalId }
  const answers = [await partner.post('/v1/orders', twin), await partner.post('/v1/orders', order('shop'))]
  t.same(tally(answers), { '403 SOURCE_NOT_ALLOWED': 2 })
  t.notMatch(answers[0]?.text, shops.id)
})

t.test('in a batch each order is held to it', async (t) => {
  const { body } = await partner.post('/v1/orders/batch', { orders: [order('market'), order('shop'), order()] })
  t.match(body.data.results, [
    { status: 'placed' },
    { status: 'refused', problem: { code: 'SOURCE_NOT_ALLOWED', errors: [{ pointer: '/orders/1/source' }] } },
    { status: 'refused', problem: { code: 'SOURCE_NOT_ALLOWED' } },
  ])
})

t.test('reads its own orders, by id, external id and timeline', async (t) => {
  t.strictSame((await partner.get(`/v1/orders/${own.id}`)).body.data, own)
  t.equal((await partner.get(`/v1/orders/external/market/${own.externalId}`)).body.data.id, own.id)
  t.equal((await partner.get(`/v1/orders/${own.id}/timeline`)).body.data.length, 2)
})

t.test('lists its own orders alone, whatever it filters for', async (t) => {
  const all = idsOf(await operator.get('/v1/orders?limit=100'))
  t.ok(all.includes(shops.id) && all.includes(sourceless.id))
  for (const query of ['', '&sort=placedAt', '&status=confirmed', '&q=E-1', `&number=${own.number}`]) {
    const seen = await partner.get(`/v1/orders?limit=100${query}`)
    t.ok(idsOf(seen).includes(own.id), query)
    t.notOk(idsOf(seen).includes(shops.id) || idsOf(seen).includes(sourceless.id), query)
    const table = await partner.get(`/v1/orders/table?pageSize=100${query}`)
    t.same(idsOf(table).sort(), idsOf(seen).sort(), `${query} by page number`)
    t.equal(table.body.meta.page.totalItems, idsOf(seen).length)
  }
  t.same(idsOf(await partner.get('/v1/orders?source=shop')), [])
  t.same(idsOf(await partner.get(`/v1/orders?number=${shops.number}`)), [])
})

t.test('finds every other order absent, to read and to change, and leaves it', async (t) => {
  for (const foreign of [shops, sourceless]) {
    const lineId = foreign.lines[0].id
    const sends: readonly ((id: string) => Promise<Answer>)[] = [
      (id) => partner.get(`/v1/orders/${id}`),
      (id) => partner.get(`/v1/orders/${id}/timeline`),
      (id) => partner.patch(`/v1/orders/${id}`, { notes: 'x' }, { 'if-match': '*' }),
      (id) => partner.post(`/v1/orders/${id}/cancel`, {}),
      (id) => partner.post(`/v1/orders/${id}/confirm`),
      (id) => partner.post(`/v1/orders/${id}/place`),
      (id) => partner.post(`/v1/orders/${id}/lines/${lineId}/cancel`, {}),
      (id) => partner.post(`/v1/orders/${id}/holds`, { blocks: 'fulfill' }),
      (id) => partner.post(`/v1/orders/${id}/holds/${newId('hld')}/release`),
    ]
    for (const send of sends) {
      const answer = await send(foreign.id)
      t.equal(answer.status, 404)
      t.same(refusalOf(answer), refusalOf(await send(newId('ord'))))
    }
    t.strictSame((await operator.get(`/v1/orders/${foreign.id}`)).body.data, foreign)
  }
  const external = await partner.get(`/v1/orders/external/shop/${shops.externalId}`)
  t.same(refusalOf(external), refusalOf(await partner.get('/v1/orders/external/shop/absent')))
})

t.test('changes its own orders', async (t) => {
  const { body } = await partner.post(`/v1/orders/${own.id}/cancel`, {})
  t.equal(body.data.status, 'cancelled')
})

t.test('hands out keys for its sources alone', async (t) => {
  const create = (more: object) => partner.post('/v1/api-keys', { name: 'x', scopes: ['orders:read'], ...more })
  t.equal((await create({ allowedSources: ['market'] })).status, 201)
  for (const more of [{}, { allowedSources: [] }, { allowedSources: ['market', 'shop'] }])
    t.same(tally([await create(more)]), { '403 SOURCE_NOT_HELD': 1 })
  const free = (await operator.post('/v1/api-keys', { name: 'free', scopes: ['orders:read'] })).body.data
  t.same(tally([await partner.post(`/v1/api-keys/${free.id}/rotate`, {})]), { '403 SOURCE_NOT_HELD': 1 })
})

t.test('refuses sources that are none, twice the same, and too many', async (t) => {
  const many = Array.from({ length: 51 }, (_, index) => `s${index}`)
  for (const allowedSources of [['no spaces'], [''], ['a', 'a'], many, 'market', null]) {
    const answer = await operator.post('/v1/api-keys', { name: 'x', scopes, allowedSources })
    t.same(tally([answer]), { '422 VALIDATION_FAILED': 1 })
  }
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
