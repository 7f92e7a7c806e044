import { randomUUID } from 'node:crypto'
import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const eur = (amount: number) => ({ amount, currency: 'EUR' })

let made = 0
/** A fresh product; returns it and where it is. */
const product = async (facts: object = {}) => {
  const body = { sku: `MUG-${made++}`, title: 'Blue mug', description: 'Blue', prices: [gbp(799)], ...facts }
  const { data } = (await operator.post('/v1/products', body)).body
  return { ...data, url: `/v1/products/${data.id}` }
}
const update = (url: string, body: object, version: number | '' = 1, headers = {}) =>
  operator.patch(url, body, { 'if-match': version === '' ? '' : `"${version}"`, ...headers })
const entriesOf = async (id: string) =>
  (await db.query('select * from ledger where resource_id = $1 order by resource_version', [id])).rows

t.test('changes what is given and leaves the rest', async (t) => {
  const { url, ...before } = await product({ attributes: { colour: 'blue' } })
  const { status, body, headers } = await update(url, { title: 'Mug', prices: [eur(5), gbp(4)], attributes: {} })
  t.equal(status, 200)
  t.match(headers.etag, /^"2\./)
  const expected = { ...before, title: 'Mug', prices: [eur(5), gbp(4)], attributes: {}, version: 2 }
  t.strictSame(body.data, { ...expected, updatedAt: body.data.updatedAt })
  t.strictSame((await operator.get(url)).body.data, body.data)
  const [, entry] = await entriesOf(before.id)
  t.match(entry, { type: 'product.updated', resource_version: 2, data: body.data })
  t.same(entry.changed, ['title', 'prices', 'attributes'])
})

t.test('takes each field alone, and null for no description', async (t) => {
  for (const change of [
    { title: 'Red mug' },
    { description: null },
    { description: 'Red' },
    { status: 'draft' },
    { stockPolicy: 'untracked' },
    { prices: [] },
    { attributes: { colour: 'red' } },
    { metadata: { erp: '17' } },
  ]) {
    const { url, id } = await product()
    const { body } = await update(url, change)
    t.match(body.data, change)
    t.same((await entriesOf(id))[1].changed, Object.keys(change))
  }
})

t.test('what changes nothing keeps the version and leaves no entry', async (t) => {
  const { url, id, ...before } = await product()
  const { status, body } = await update(url, { title: before.title, prices: before.prices, status: 'active' })
  t.equal(status, 200)
  t.strictSame(body.data, { id, ...before })
  t.equal((await entriesOf(id)).length, 1)
})

t.test('archives and brings back; what is archived is not for sale', async (t) => {
  const { url, id, sku } = await product({ stockPolicy: 'untracked' })
  const order = () => operator.post('/v1/orders', { paymentTerms: 'onAccount', lines: [{ sku, quantity: 1 }] })
  const { status, body, headers } = await operator.post(`${url}/archive`)
  t.equal(status, 200)
  t.match(body.data, { status: 'archived', version: 2 })
  t.match(headers.etag, /^"2\./)
  t.same(tally([await order()]), { '422 UNKNOWN_SKU': 1 })
  t.match((await update(url, { status: 'active' }, 2)).body.data, { status: 'active', version: 3 })
  t.same(tally([await order()]), { 201: 1 })
  t.match((await update(url, { status: 'archived', title: 'Old mug' }, 3)).body.data, { status: 'archived' })
  const entries = (await entriesOf(id)).map(({ type, changed }) => [type, changed])
  t.same(entries, [
    ['product.created', []],
    ['product.archived', ['status']],
    ['product.updated', ['status']],
    ['product.archived', ['title', 'status']],
  ])
})

t.test('a batch tells what changed as well', async (t) => {
  const { id, sku } = await product()
  await operator.post('/v1/products/batch', {
    products: [{ sku, title: 'New', prices: [gbp(799)], status: 'archived' }],
  })
  t.match((await entriesOf(id))[1], { type: 'product.archived', changed: ['title', 'status'] })
})

t.test('refuses to archive twice', async (t) => {
  const { url } = await product()
  const answers = await Promise.all(Array.from({ length: 10 }, () => persist(() => operator.post(`${url}/archive`))))
  t.same(tally(answers), { 200: 1, '409 PRODUCT_ARCHIVED': 9 })
})

t.test('needs the version the change is based on', async (t) => {
  const { url } = await product()
  t.same(tally([await update(url, { title: 'x' }, '')]), { '428 PRECONDITION_REQUIRED': 1 })
  t.same(tally([await update(url, { title: 'x' }, 2)]), { '412 PRECONDITION_FAILED': 1 })
  const stale = await operator.post(`${url}/archive`, undefined, { 'if-match': '"2"' })
  t.same(tally([stale]), { '412 PRECONDITION_FAILED': 1 })
})

t.test('refuses two prices in one currency, and what does not match the schema', async (t) => {
  const { url, id } = await product()
  t.same(tally([await update(url, { prices: [gbp(1), gbp(2)] })]), { '422 REPEATED_ENTRY': 1 })
  const faults = [
    {},
    { sku: 'OTHER' },
    { title: '' },
    { title: null },
    { status: 'gone' },
    { prices: [gbp(-1)] },
    { prices: null },
    { attributes: { colour: null } },
    { version: 7 },
  ]
  for (const fault of faults)
    t.same(tally([await update(url, fault)]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(fault))
  t.equal((await entriesOf(id)).length, 1)
})

t.test('is for holders of products:write', async (t) => {
  const { url } = await product()
  const reader = as(await tenant.keyWith(['products:read', 'stock:write']))
  const answers = [await reader.patch(url, { title: 'x' }, { 'if-match': '"1"' }), await reader.post(`${url}/archive`)]
  t.same(tally(answers), { '403 FORBIDDEN': 2 })
})

t.test("answers for another tenant's product as for an absent one", async (t) => {
  const { url } = await product()
  const stranger = as((await otherTenant()).key)
  const absent = `/v1/products/${newId('prd')}`
  const any = { 'if-match': '*' }
  const change = async (at: string) => refusalOf(await stranger.patch(at, { title: 'x' }, any))
  const archive = async (at: string) => refusalOf(await stranger.post(`${at}/archive`))
  t.match(await change(url), { status: 404, error: { code: 'PRODUCT_NOT_FOUND' } })
  t.same(await change(url), await change(absent))
  t.same(await archive(url), await archive(absent))
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const { url } = await product()
  const key = { 'idempotency-key': randomUUID() }
  const first = await update(url, { title: 'Once' }, 1, key)
  const retry = await update(url, { title: 'Once' }, 1, key)
  t.equal(retry.status, 200)
  t.equal(retry.data, first.data)
  t.equal(retry.headers.etag, first.headers.etag)
  const archived = await operator.post(`${url}/archive`, undefined, { 'idempotency-key': 'a-once' })
  t.equal((await operator.post(`${url}/archive`, undefined, { 'idempotency-key': 'a-once' })).data, archived.data)
})

t.test('of twenty changes of one version one takes effect', async (t) => {
  const { url } = await product()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => persist(() => update(url, { title: `Title ${index}` }))),
  )
  t.same(tally(answers), { 200: 1, '412 PRECONDITION_FAILED': 19 })
})

t.test('a change and a batch at the same moment both take effect', async (t) => {
  const { url, sku } = await product()
  await Promise.all([
    persist(() => update(url, { metadata: { a: '1' } }, 1)),
    persist(() => operator.post('/v1/products/batch', { products: [{ sku, title: 'Batch', prices: [gbp(1)] }] })),
  ])
  const { data } = (await operator.get(url)).body
  t.equal(data.title, 'Batch')
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
