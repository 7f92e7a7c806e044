import t from 'tap'
import type { Database } from '#platform/database.ts'
import { createUnitOfWork } from '#platform/unit-of-work.ts'
import { harness } from './harness.ts'
import type { Answer } from './http-client.ts'
import { relay } from './relayed.ts'

let statements = 0
/** The same database; counts every statement that comes back, from query builders and as text alike. */
const counting = (database: Database): Database => ({
  ...database,
  get load() {
    return database.load
  },
  async begin(opening) {
    const session = await database.begin(opening)
    const db = session.db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        statements += 1
        return result
      },
    })
    return { ...session, db }
  },
})

const h = await harness(t, {
  replace: (runtime) => {
    const database = counting(runtime.database)
    return { database, unitOfWork: createUnitOfWork({ ...runtime, database }) }
  },
})
const { as, tenant } = h
const operator = as(tenant.key)
const { locationId } = tenant
const skus = Array.from({ length: 100 }, (_, index) => `SKU-${index}`)
await tenant.stock(skus.map((sku) => ({ sku, onHand: 1_000 })))

async function statementsOf(send: () => Promise<Answer>): Promise<number> {
  const before = statements
  const answer = await send()
  if (answer.status >= 300) throw new Error(answer.text)
  return statements - before
}

const order = (count: number) => ({
  paymentTerms: 'onAccount',
  lines: skus.slice(0, count).map((sku) => ({ sku, quantity: 1 })),
})
const placed = async (count: number): Promise<string> => (await operator.post('/v1/orders', order(count))).body.data.id
const drafted = async (count: number): Promise<string> =>
  (await operator.post('/v1/orders', { ...order(count), draft: true })).body.data.id

t.test('a page of 100 takes as many statements as a page of 1', async (t) => {
  const id = await placed(1)
  for (let index = 0; index < 99; index++) {
    await placed(1)
    await operator.post('/v1/locations', { name: `Location ${index}` })
    await operator.post('/v1/api-keys', { name: `Key ${index}`, scopes: ['orders:read'] })
  }
  await operator.post(`/v1/orders/${id}/cancel`, {})
  await relay(h)
  for (const [url, count] of [
    ['/v1/orders', 100],
    ['/v1/products', 100],
    ['/v1/stock', 100],
    ['/v1/locations', 100],
    ['/v1/api-keys', 100],
    [`/v1/stock/SKU-0/${locationId}/movements`, 100],
    [`/v1/orders/${id}/timeline`, 3],
    ['/v1/events', 100],
  ] as const) {
    const page = await operator.get(`${url}?limit=100`)
    t.equal(page.body.data.length, count, `${url} has ${count}`)
    const one = await statementsOf(() => operator.get(`${url}?limit=1`))
    t.ok(one >= 1 && one <= 2, `${url}: ${one} for a page of one`)
    t.equal(await statementsOf(() => operator.get(`${url}?limit=100`)), one, `${url}: the same for a page of 100`)
  }
})

t.test('what is done to 100 takes as many statements as to 1', async (t) => {
  const products = (count: number, title: string) => ({
    products: skus.slice(0, count).map((sku) => ({ sku, title, prices: [{ amount: 1_000, currency: 'GBP' }] })),
  })
  const levels = (count: number, onHand: number) => ({
    levels: skus.slice(0, count).map((sku) => ({ sku, locationId, onHand })),
  })
  const [few, many] = [await placed(1), await placed(100)]
  const pairs: readonly [string, () => Promise<Answer>, () => Promise<Answer>][] = [
    ['reading', () => operator.get(`/v1/orders/${few}`), () => operator.get(`/v1/orders/${many}`)],
    ['quoting', () => operator.post('/v1/orders/quote', order(1)), () => operator.post('/v1/orders/quote', order(100))],
    ['placing', () => operator.post('/v1/orders', order(1)), () => operator.post('/v1/orders', order(100))],
    [
      'placing in a batch',
      () => operator.post('/v1/orders/batch', { orders: [order(1)] }),
      () => operator.post('/v1/orders/batch', { orders: Array.from({ length: 100 }, () => order(3)) }),
    ],
    [
      'placing a draft',
      async () => operator.post(`/v1/orders/${await drafted(1)}/place`),
      async () => operator.post(`/v1/orders/${await drafted(100)}/place`),
    ],
    [
      'cancelling',
      () => operator.post(`/v1/orders/${few}/cancel`, {}),
      () => operator.post(`/v1/orders/${many}/cancel`, {}),
    ],
    [
      'upserting',
      () => operator.post('/v1/products/batch', products(1, 'x')),
      () => operator.post('/v1/products/batch', products(100, 'y')),
    ],
    [
      'counting',
      () => operator.post('/v1/stock/batch', levels(1, 2_000)),
      () => operator.post('/v1/stock/batch', levels(100, 3_000)),
    ],
  ]
  for (const [name, one, hundred] of pairs) {
    const expected = await statementsOf(one)
    t.ok(expected > 0, `${name} takes ${expected}`)
    t.equal(await statementsOf(hundred), expected, name)
  }
})
