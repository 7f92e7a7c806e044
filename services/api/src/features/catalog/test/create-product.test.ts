import { randomUUID } from 'node:crypto'
import t from 'tap'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const mug = (sku: string) => ({ sku, title: 'Blue mug', prices: [gbp(799)] })
const create = (body: object, headers = {}) => operator.post('/v1/products', body, headers)

t.test('creates a product that is on sale, tracked, and bare of everything else', async (t) => {
  const { status, body, headers } = await create(mug('MUG'))
  t.equal(status, 201)
  const { data } = body
  t.strictSame(data, {
    id: data.id,
    sku: 'MUG',
    title: 'Blue mug',
    description: null,
    status: 'active',
    stockPolicy: 'deny',
    prices: [gbp(799)],
    attributes: {},
    metadata: {},
    version: 1,
    createdAt: data.createdAt,
    updatedAt: data.createdAt,
  })
  t.match(headers.location, new RegExp(`/v1/products/${data.id}$`))
  const read = await operator.get(`/v1/products/${data.id}`)
  t.strictSame(read.body.data, data)
  t.equal(read.headers.etag, headers.etag)
})

t.test('keeps everything it is given', async (t) => {
  const given = {
    ...mug('FULL'),
    description: 'Blue, with a handle',
    status: 'draft',
    stockPolicy: 'untracked',
    prices: [eur(899), gbp(0)],
    attributes: { colour: 'blue', größe: 'L' },
    metadata: { erp: '17' },
  }
  const { status, body } = await create(given)
  t.equal(status, 201)
  for (const [name, value] of Object.entries(given)) t.strictSame(body.data[name], value, name)
})

t.test('leaves an entry in the ledger', async (t) => {
  const { body } = await create(mug('RECORDED'), { 'x-request-id': 'mine-7' })
  const { rows } = await db.query('select * from ledger where resource_id = $1', [body.data.id])
  t.equal(rows.length, 1)
  t.match(rows[0], { type: 'product.created', request_id: 'mine-7', resource_version: 1, personal: null })
  t.same(rows[0].data, body.data)
})

t.test('takes SKUs of 1 to 64 characters of every script, told apart by case', async (t) => {
  const skus = ['x', 'X', 'Größe 42', '茶碗', '🍵'.repeat(64), 'a/b c%20?#', '-', ' ']
  for (const sku of skus) t.equal((await create(mug(sku))).status, 201, sku)
  for (const sku of ['', '🍵'.repeat(65), 'a\tb', 'a\nb', 'a\u007fb'])
    t.same(tally([await create(mug(sku))]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(sku))
})

t.test('refuses a SKU that exists, whatever its status', async (t) => {
  await create({ ...mug('TAKEN'), status: 'archived' })
  const answer = await create(mug('TAKEN'))
  t.same(tally([answer]), { '409 DUPLICATE_SKU': 1 })
  t.equal(answer.body.detail, 'SKU TAKEN exists already')
})

t.test('refuses two prices in one currency', async (t) => {
  const answer = await create({ ...mug('TWICE'), prices: [gbp(1), eur(1), gbp(2)] })
  t.same(tally([answer]), { '422 REPEATED_ENTRY': 1 })
})

t.test('refuses what does not match the schema', async (t) => {
  const faults = [
    { title: '' },
    { title: 'x'.repeat(501) },
    { prices: [gbp(-1)] },
    { prices: [gbp(0.5)] },
    { prices: [gbp(1_000_000_000_001)] },
    { prices: [{ amount: 1, currency: 'gbp' }] },
    { prices: { GBP: 1 } },
    { stockPolicy: 'never' },
    { attributes: { colour: 7 } },
    { version: 7 },
    { organizationId: 'org_1' },
  ]
  for (const fault of faults)
    t.same(tally([await create({ ...mug('FAULT'), ...fault })]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(fault))
})

t.test('is for holders of products:write', async (t) => {
  const reader = as(await tenant.keyWith(['products:read', 'stock:write', 'orders:write']))
  t.same(tally([await reader.post('/v1/products', mug('NO'))]), { '403 FORBIDDEN': 1 })
})

t.test('shares no SKU with another tenant', async (t) => {
  const stranger = await otherTenant()
  await stranger.stock([{ sku: 'SHARED', price: 1 }])
  const { status, body } = await create(mug('SHARED'))
  t.equal(status, 201)
  const theirs = await as(stranger.key).get('/v1/products?sku=SHARED')
  t.not(theirs.body.data[0].id, body.data.id)
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await create(mug('ONCE'), key)
  const retry = await create(mug('ONCE'), key)
  t.equal(retry.status, 201)
  t.equal(retry.data, first.data)
  t.equal(retry.headers['idempotency-replayed'], 'true')
})

t.test('of twenty who create one SKU at once one does', async (t) => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => persist(() => create(mug('RACE')))))
  t.same(tally(answers), { 201: 1, '409 DUPLICATE_SKU': 19 })
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
