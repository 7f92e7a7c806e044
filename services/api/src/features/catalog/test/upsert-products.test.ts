import { randomUUID } from 'node:crypto'
import t from 'tap'
import { contended } from '#test/contention.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db, deadlocks } = await contended(t, 20)
const operator = as(tenant.key)
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const product = (sku: string, more: object = {}) => ({ sku, title: `Title ${sku}`, prices: [gbp(100)], ...more })
const upsert = (products: object[], headers = {}) => operator.post('/v1/products/batch', { products }, headers)
const bySku = async (sku: string) => (await operator.get(`/v1/products?sku=${encodeURIComponent(sku)}`)).body.data[0]
const entriesOf = async (id: string) =>
  (await db.query('select type, data from ledger where resource_id = $1 order by resource_version', [id])).rows

const full = {
  description: 'd',
  status: 'draft',
  stockPolicy: 'untracked',
  attributes: { colour: 'blue' },
  metadata: { erp: '17' },
  prices: [eur(3), gbp(2)],
}

t.test('tells for each product whether it was created, updated or left, in the order asked', async (t) => {
  await upsert([product('B'), product('C')])
  const { status, body } = await upsert([product('C', { title: 'New' }), product('A'), product('B')])
  t.equal(status, 200)
  t.match(body.data.products, [
    { sku: 'C', outcome: 'updated', version: 2 },
    { sku: 'A', outcome: 'created', version: 1 },
    { sku: 'B', outcome: 'unchanged', version: 1 },
  ])
  for (const { sku, id, version } of body.data.products)
    t.match((await operator.get(`/v1/products/${id}`)).body.data, { sku, id, version })
})

t.test('keeps the fields that are not given, and replaces those that are', async (t) => {
  await upsert([product('MERGE', full)])
  const before = await bySku('MERGE')
  await upsert([product('MERGE', { title: 'Other' })])
  const after = await bySku('MERGE')
  t.strictSame(after, {
    ...before,
    title: 'Other',
    prices: [gbp(100)],
    version: 2,
    updatedAt: after.updatedAt,
  })
  const emptied = { description: null, status: 'active', stockPolicy: 'deny', attributes: {}, metadata: {}, prices: [] }
  await upsert([product('MERGE', { ...emptied, title: 'Other' })])
  t.match(await bySku('MERGE'), emptied)
})

t.test('writes nothing for what does not change', async (t) => {
  const { body } = await upsert([product('SAME', full)])
  const before = await bySku('SAME')
  for (const again of [full, {}, { ...full, prices: [gbp(2), eur(3)] }]) {
    const answer = await upsert([product('SAME', { prices: full.prices, ...again })])
    t.match(answer.body.data.products, [{ outcome: 'unchanged', version: 1 }])
  }
  t.strictSame(await bySku('SAME'), before)
  t.equal((await entriesOf(body.data.products[0].id)).length, 1)
})

t.test('leaves one ledger entry per change, with the product as the API returns it', async (t) => {
  const { body } = await upsert([product('LOG')])
  const created = await bySku('LOG')
  await upsert([product('LOG', { description: 'more' })])
  t.same(await entriesOf(body.data.products[0].id), [
    { type: 'product.created', data: created },
    { type: 'product.updated', data: await bySku('LOG') },
  ])
})

t.test('refuses a SKU or a currency that is given twice, and writes nothing of the batch', async (t) => {
  t.same(tally([await upsert([product('R1'), product('R2'), product('R1')])]), { '422 REPEATED_ENTRY': 1 })
  const prices = [gbp(1), gbp(2)]
  t.same(tally([await upsert([product('R1'), product('R2', { prices })])]), { '422 REPEATED_ENTRY': 1 })
  t.equal(await bySku('R1'), undefined)
})

t.test('takes 1 to 1,000 products', async (t) => {
  const many = Array.from({ length: 1_001 }, (_, index) => product(`N${index}`))
  const { body } = await upsert(many.slice(1))
  t.equal(body.data.products.length, 1_000)
  t.same(tally([await upsert(many)]), { '422 VALIDATION_FAILED': 1 })
  t.same(tally([await upsert([])]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of products:write, and leaves other tenants alone', async (t) => {
  const reader = as(await tenant.keyWith(['products:read']))
  t.same(tally([await reader.post('/v1/products/batch', { products: [product('A')] })]), { '403 FORBIDDEN': 1 })
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'BOTH', price: 1 }])
  const before = (await as(stranger.key).get('/v1/products?sku=BOTH')).body.data
  t.match((await upsert([product('BOTH')])).body.data.products, [{ outcome: 'created' }])
  t.strictSame((await as(stranger.key).get('/v1/products?sku=BOTH')).body.data, before)
})

t.test('answers a retry as the first: what was created is not called unchanged', async (t) => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await upsert([product('RETRY')], key)
  const retry = await upsert([product('RETRY')], key)
  t.equal(retry.data, first.data)
  t.match(retry.body.data.products, [{ outcome: 'created' }])
})

t.test('batches of the same SKUs in opposite order never wait for each other in a circle', async (t) => {
  for (const round of ['X', 'Y', 'Z']) {
    const skus = Array.from({ length: 500 }, (_, index) => `${round}${String(index).padStart(3, '0')}`)
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => {
        const order = index % 2 === 0 ? skus : skus.toReversed()
        const products = order.map((sku) => product(sku, { title: `From ${index}` }))
        return persist(() => upsert(products))
      }),
    )
    t.same(tally(answers), { 200: 6 })
    const { rows } = await db.query(
      'select title, version, count(*)::int from products where sku like $1 group by title, version',
      [`${round}%`],
    )
    t.match(rows, [{ version: 6, count: 500 }], 'all of one batch, the last one')
  }
  t.same(deadlocks(), [])
})

t.test('batches that create a product at the same moment lose no field of each other', async (t) => {
  const parts = [{ description: 'mine' }, { metadata: { by: 'me' } }, { attributes: { colour: 'red' } }]
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      parts.map((part) => persist(() => upsert([product(`P${round}`, part), product(`Q${round}`, part)]))),
    )
    t.same(tally(answers), { 200: 3 })
    for (const sku of [`P${round}`, `Q${round}`])
      t.match(await bySku(sku), { description: 'mine', metadata: { by: 'me' }, attributes: { colour: 'red' } })
  }
  const { rows } = await db.query(`select p.sku from products p join ledger l on l.resource_id = p.id
    where p.sku ~ '^[PQ]' and (l.data->>'createdAt')::timestamptz <> p.created_at`)
  t.same(rows, [], 'and the ledger knows when it was created')
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
