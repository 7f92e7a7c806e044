import t from 'tap'
import { harness } from '#test/harness.ts'

const line = (sku: string, quantity: number) => ({ sku, quantity })
const onAccount = (...lines: object[]) => ({ paymentTerms: 'onAccount', lines })

t.test('places the least order there is, priced from the catalog and confirmed at once', async (t) => {
  const { as, tenant } = await harness(t)
  await tenant.stock([{ sku: '85123A', price: 255, onHand: 10 }])
  const { status, body, headers } = await as(tenant.key).post('/v1/orders', onAccount(line('85123A', 6)))
  t.equal(status, 201)
  t.match(body.data, { status: 'confirmed', version: 2, paymentTerms: 'onAccount', allowedActions: ['cancel'] })
  t.same(body.data.totals.total, { amount: 1530, currency: 'GBP' })
  t.match(headers.location, new RegExp(`/v1/orders/${body.data.id}$`))
  t.match(headers.etag, /^"2\.[0-9a-f]{6}"$/)
})
