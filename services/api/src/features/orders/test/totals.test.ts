import t from 'tap'
import { isExact, lineTotal, orderTotals } from '../totals.ts'

const line = (unitPrice: number, quantity: number, discount = 0, tax = 0) => ({ unitPrice, quantity, discount, tax })

t.test('a line costs quantity × unit price − discount + tax', async (t) => {
  for (const [given, expected] of [
    [line(255, 6), 1_530],
    [line(0, 6), 0],
    [line(100, 3, 50), 250],
    [line(100, 3, 50, 40), 290],
  ] as const)
    t.equal(lineTotal(given), expected)
})

t.test('an order costs its items − discounts + shipping + taxes', async (t) => {
  const nothing = { items: 0, discount: 0, shipping: 0, tax: 0, total: 0 }
  t.same(orderTotals([]), nothing)
  t.same(orderTotals([line(255, 6)]), { ...nothing, items: 1_530, total: 1_530 })
  const extras = { discounts: [{ amount: 7 }, { amount: 1 }], shipping: [{ amount: 500 }], taxes: [{ amount: 3 }] }
  const all = orderTotals([line(100, 3, 50, 40), line(10, 1, 0, 2)], extras)
  t.same(all, { items: 310, discount: 58, shipping: 500, tax: 45, total: 797 })
})

t.test('the total of an order is the sum of its lines', async (t) => {
  const lines = Array.from({ length: 1_000 }, (_, index) => line(index, 1 + (index % 7), index % 3, index % 5))
  t.equal(
    orderTotals(lines).total,
    lines.reduce((sum, each) => sum + lineTotal(each), 0),
  )
})

t.test('sums up to 2^53 − 1 are exact, larger ones are not', async (t) => {
  t.equal(isExact(orderTotals([line(Number.MAX_SAFE_INTEGER, 1)])), true)
  t.equal(isExact(orderTotals([line(Number.MAX_SAFE_INTEGER, 1), line(1, 1)])), false)
  t.equal(isExact(orderTotals([line(1_000_000_000_000, 1_000_000)])), false)
})
