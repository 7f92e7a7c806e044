import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { contended } from '#test/contention.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db, deadlocks } = await contended(t, 20)
const operator = as(tenant.key)
const stranger = await otherTenant()
const { locationId } = tenant
const level = (sku: string, onHand: number) => ({ sku, locationId, onHand })
const set = (levels: object[], headers = {}) => operator.post('/v1/stock/batch', { levels }, headers)
const levelOf = async (sku: string) => (await operator.get(`/v1/stock/${sku}/${locationId}`)).body.data
const skus = ['A', 'B', 'C', 'D', 'E']
await tenant.stock(skus.map((sku) => ({ sku })))

t.test('makes and sets many levels, answering in the order asked', async (t) => {
  const { body: second } = await operator.post('/v1/locations', { name: 'Second' })
  const there = { sku: 'A', locationId: second.data.id, onHand: 9, safetyStock: 2 }
  const { status, body } = await set([level('C', 3), there, level('A', 1)])
  t.equal(status, 200)
  t.match(body.data.levels, [
    { sku: 'C', onHand: 3, version: 1 },
    { sku: 'A', locationId: second.data.id, onHand: 9, available: 7 },
    { sku: 'A', locationId, onHand: 1, version: 1 },
  ])
  t.equal(body.data.levels.length, 3)
})

t.test(
  'gives every level its movement, with the reason, and its ledger entry; unchanged ones get neither',
  async (t) => {
    await set([level('B', 5), level('D', 5)])
    const countOf = async (table: string) => Number((await db.query(`select count(*) from ${table}`)).rows[0].count)
    const [movements, entries] = [await countOf('stock_movements'), await countOf('ledger')]
    const { status, body } = await operator.post('/v1/stock/batch', {
      levels: [level('D', 5), level('B', 8)],
      reason: 'night count',
    })
    t.equal(status, 200)
    t.match(body.data.levels, [
      { sku: 'D', version: 1 },
      { sku: 'B', version: 2, onHand: 8 },
    ])
    t.equal(await countOf('stock_movements'), movements + 1)
    t.equal(await countOf('ledger'), entries + 1)
    t.match((await operator.get(`/v1/stock/B/${locationId}/movements`)).body.data[0], {
      onHandChange: 3,
      onHand: 8,
      reason: 'night count',
    })
  },
)

t.test('names each SKU and location that does not exist, and sets nothing', async (t) => {
  const before = await levelOf('B')
  const answer = await set([level('B', 77), level('NOBODYS', 1), { sku: 'B', locationId: newId('loc'), onHand: 1 }])
  t.equal(answer.status, 422)
  t.equal(answer.body.error.code, 'UNKNOWN_STOCK_ITEM')
  t.same(
    answer.body.errors.map(({ field, pointer, code }: Record<string, string>) => [field, pointer, code]),
    [
      ['levels[1].sku', '/levels/1/sku', 'UNKNOWN'],
      ['levels[2].locationId', '/levels/2/locationId', 'UNKNOWN'],
    ],
  )
  t.strictSame(await levelOf('B'), before)
})

t.test('refuses a level that is given twice', async (t) => {
  t.same(tally([await set([level('B', 1), level('C', 1), level('B', 1)])]), { '422 REPEATED_LEVEL': 1 })
})

t.test('takes 1 to 1,000 levels', async (t) => {
  const many = Array.from({ length: 1_000 }, (_, index) => `N${index}`)
  await tenant.stock(many.map((sku) => ({ sku })))
  t.equal((await set(many.map((sku) => level(sku, 1)))).body.data.levels.length, 1_000)
  t.same(tally([await set([])]), { '422 VALIDATION_FAILED': 1 })
  t.same(tally([await set([...many, 'A'].map((sku) => level(sku, 1)))]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of stock:write, with an Idempotency-Key', async (t) => {
  const reader = as(await tenant.keyWith(['stock:read']))
  t.same(tally([await reader.post('/v1/stock/batch', { levels: [level('A', 1)] })]), { '403 FORBIDDEN': 1 })
  t.same(tally([await set([level('A', 1)], { 'idempotency-key': '' })]), { '400 IDEMPOTENCY_KEY_REQUIRED': 1 })
})

t.test("names another tenant's SKU and location as it names absent ones", async (t) => {
  await stranger.stock([{ sku: 'THEIRS', onHand: 1 }])
  const answer = await set([level('THEIRS', 1), { sku: 'A', locationId: stranger.locationId, onHand: 1 }])
  t.match(answer.body.errors, [
    { pointer: '/levels/0/sku', message: 'there is no product with SKU THEIRS' },
    { pointer: '/levels/1/locationId', message: `there is no location ${stranger.locationId}` },
  ])
})

t.test('answers a retry as the first, also when the levels have moved on', async (t) => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await set([level('E', 10)], key)
  await operator.post(`/v1/stock/E/${locationId}/adjust`, { change: 5 })
  const retry = await set([level('E', 10)], key)
  t.equal(retry.data, first.data)
  t.equal((await levelOf('E')).onHand, 15)
})

t.test('batches that name the same new levels in opposite order never wait for each other in a circle', async (t) => {
  for (const round of ['F', 'G', 'H']) {
    const fresh = Array.from({ length: 500 }, (_, index) => `${round}${String(index).padStart(3, '0')}`)
    await tenant.stock(fresh.map((sku) => ({ sku })))
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => {
        const order = index % 2 === 0 ? fresh : fresh.toReversed()
        const key = { 'idempotency-key': randomUUID() }
        const levels = order.map((sku) => level(sku, index + 1))
        return persist(() => set(levels, key))
      }),
    )
    t.same(tally(answers), { 200: 6 })
    const { rows } = await db.query('select distinct on_hand, version from stock_levels where sku like $1', [
      `${round}%`,
    ])
    t.match(rows, [{ version: 6 }], 'all of one batch, the last one')
  }
  t.same(deadlocks(), [])
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
