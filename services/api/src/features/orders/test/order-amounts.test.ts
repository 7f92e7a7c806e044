import t from 'tap'
import { harness } from '#test/harness.ts'
import type { Answer } from '#test/http-client.ts'
import { ledgerAddsUp, stockAddsUp } from '#test/invariants.ts'
import { tally } from '#test/persistence.ts'

const { as, tenant, db } = await harness(t)
const operator = as(tenant.key)
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const eur = (amount: number) => ({ amount, currency: 'EUR' })
const called = (description: string, amount: object) => ({ description, amount })
const place = (body: object) => operator.post('/v1/orders', { paymentTerms: 'onAccount', ...body })

await tenant.stock([
  { sku: 'MUG', price: 250, onHand: 1_000 },
  { sku: 'CUP', price: 100, onHand: 1_000 },
  { sku: 'DEAR', price: 1_000_000_000_000, stockPolicy: 'untracked' },
])

const mug = { sku: 'MUG', quantity: 3 }
const full = {
  lines: [
    { ...mug, discount: gbp(50), tax: gbp(140) },
    { sku: 'CUP', quantity: 2, tax: gbp(7) },
  ],
  discounts: [called('Spring sale', gbp(100)), called('Voucher A1', gbp(1))],
  shipping: [called('Parcel', gbp(395)), called('Saturday', gbp(100))],
  taxes: [called('VAT on shipping', gbp(99))],
}
const totals = { items: gbp(950), discount: gbp(151), shipping: gbp(495), tax: gbp(246), total: gbp(1_540) }

t.test('adds what the caller gives, of lines and of the order, and rounds nothing', async (t) => {
  const { status, body } = await place(full)
  t.equal(status, 201)
  const { data } = body
  t.strictSame(data.totals, totals)
  for (const name of ['discounts', 'shipping', 'taxes'] as const) t.strictSame(data[name], full[name], name)
  t.match(data.lines, [
    { discount: gbp(50), tax: gbp(140), total: gbp(840) },
    { discount: gbp(0), tax: gbp(7), total: gbp(207) },
  ])
  t.strictSame((await operator.get(`/v1/orders/${data.id}`)).body.data, data, 'and reads it back alike')
  t.strictSame((await operator.get('/v1/orders?limit=1')).body.data[0].totals, totals)
})

t.test('quotes what placing then charges', async (t) => {
  const { body } = await operator.post('/v1/orders/quote', { paymentTerms: 'onAccount', ...full })
  t.strictSame(body.data.totals, totals)
  t.match(body.data.lines, [
    { discount: gbp(50), tax: gbp(140), total: gbp(840) },
    { discount: gbp(0), tax: gbp(7), total: gbp(207) },
  ])
})

t.test('an order may come to nothing, and is then confirmed at once', async (t) => {
  for (const free of [
    { lines: [{ ...mug, discount: gbp(750) }] },
    { lines: [mug], discounts: [called('Gift', gbp(750))] },
  ]) {
    const { status, body } = await place({ ...free, paymentTerms: 'prepaid' })
    t.equal(status, 201)
    t.match(body.data, { status: 'confirmed', paymentStatus: 'paid', totals: { total: gbp(0) } })
  }
})

const issuesOf = ({ body }: Answer) =>
  body.errors.map(({ pointer, code, message }: Record<string, string>) => [pointer, code, message])

t.test('refuses discounts that leave less than nothing, of a line and of the order', async (t) => {
  const ofLine = await place({ lines: [mug, { ...mug, discount: gbp(752), tax: gbp(1) }] })
  t.equal(ofLine.status, 422)
  t.same(issuesOf(ofLine), [['/lines/1/discount', 'DISCOUNT_TOO_LARGE', 'the discount leaves -1 to pay for the line']])
  const ofOrder = await place({
    lines: [mug],
    shipping: [called('Parcel', gbp(5))],
    discounts: [called('x', gbp(756))],
  })
  t.equal(ofOrder.status, 422)
  t.same(issuesOf(ofOrder), [['/discounts', 'DISCOUNT_TOO_LARGE', 'the discounts leave -1 to pay']])
  const quoted = await operator.post('/v1/orders/quote', { lines: [{ ...mug, discount: gbp(751) }] })
  t.same(tally([quoted]), { '422 DISCOUNT_TOO_LARGE': 1 })
})

t.test('refuses amounts in another currency than the order, naming each', async (t) => {
  const answer = await place({
    lines: [
      { ...mug, discount: eur(1) },
      { ...mug, tax: eur(1) },
    ],
    discounts: [called('a', gbp(1)), called('b', eur(1))],
    shipping: [called('c', eur(1))],
    taxes: [called('d', eur(1))],
  })
  t.equal(answer.status, 422)
  t.same(
    issuesOf(answer).map(([pointer, code]: string[]) => [pointer, code]),
    [
      ['/lines/0/discount', 'CURRENCY_MISMATCH'],
      ['/lines/1/tax', 'CURRENCY_MISMATCH'],
      ['/discounts/1/amount', 'CURRENCY_MISMATCH'],
      ['/shipping/0/amount', 'CURRENCY_MISMATCH'],
      ['/taxes/0/amount', 'CURRENCY_MISMATCH'],
    ],
  )
})

t.test('refuses negative and unnamed amounts, and too many', async (t) => {
  for (const [body, pointer] of [
    [{ lines: [{ ...mug, tax: gbp(-1) }] }, '/lines/0/tax/amount'],
    [{ lines: [mug], shipping: [called('x', gbp(-1))] }, '/shipping/0/amount/amount'],
    [{ lines: [mug], taxes: [called('x', gbp(0.5))] }, '/taxes/0/amount/amount'],
    [{ lines: [mug], discounts: [called('', gbp(1))] }, '/discounts/0/description'],
    [{ lines: [mug], discounts: [{ amount: gbp(1) }] }, '/discounts/0/description'],
    [{ lines: [mug], taxes: Array.from({ length: 101 }, () => called('x', gbp(1))) }, '/taxes'],
  ] as const) {
    const answer = await place(body)
    t.same(tally([answer]), { '422 VALIDATION_FAILED': 1 })
    t.equal(issuesOf(answer)[0][0], pointer)
  }
})

t.test('refuses sums beyond 2^53 − 1, whatever they are made of', async (t) => {
  const most = gbp(1_000_000_000_000)
  const taxes = Array.from({ length: 100 }, () => called('x', most))
  const answer = await place({ lines: [{ sku: 'DEAR', quantity: 9_000 }], taxes })
  t.same(tally([answer]), { '422 AMOUNT_TOO_LARGE': 1 })
})

t.test('who may not set prices may add shipping and tax, but take nothing off', async (t) => {
  const shop = as(await tenant.keyWith(['orders:write']))
  const adding = {
    lines: [{ ...mug, tax: gbp(1) }],
    shipping: [called('Parcel', gbp(395))],
    taxes: [called('x', gbp(1))],
  }
  t.equal((await shop.post('/v1/orders', adding)).status, 201)
  for (const [lowering, pointer] of [
    [{ lines: [{ ...mug, discount: gbp(1) }] }, '/lines/0/discount'],
    [{ lines: [mug], discounts: [called('x', gbp(1))] }, '/discounts/0/amount'],
  ] as const) {
    const answer = await shop.post('/v1/orders', lowering)
    t.same(tally([answer]), { '403 PRICE_NOT_ALLOWED': 1 })
    t.equal(issuesOf(answer)[0][0], pointer)
  }
})

t.test('afterwards stock and ledger add up', async (t) => {
  await stockAddsUp(t, db)
  await ledgerAddsUp(t, db)
})
