import t from 'tap'
import { harness } from '#test/harness.ts'

const h = await harness(t)
await h.tenant.stock([{ sku: 'MUG', onHand: 100 }])
const client = h.as(h.tenant.key)
const valid = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
const place = (change: object) => client.post('/v1/orders', { ...valid, ...change })
const placeLine = (change: object) => place({ lines: [{ sku: 'MUG', quantity: 1, ...change }] })
const ordersStored = async () => (await h.db.query('select count(*)::int as n from orders')).rows[0].n

t.test('coerces nothing in a body', async (t) => {
  const before = await ordersStored()
  const cases: readonly [Promise<{ status: number; body: unknown }>, string, string][] = [
    [placeLine({ quantity: '1' }), 'lines[0].quantity', 'WRONG_TYPE'],
    [placeLine({ quantity: true }), 'lines[0].quantity', 'WRONG_TYPE'],
    [placeLine({ quantity: null }), 'lines[0].quantity', 'WRONG_TYPE'],
    [placeLine({ quantity: 1.5 }), 'lines[0].quantity', 'WRONG_TYPE'],
    [placeLine({ quantity: [1] }), 'lines[0].quantity', 'WRONG_TYPE'],
    [placeLine({ sku: 1 }), 'lines[0].sku', 'WRONG_TYPE'],
    [placeLine({ sku: null }), 'lines[0].sku', 'WRONG_TYPE'],
    [place({ notes: null }), 'notes', 'WRONG_TYPE'],
    [place({ notes: 1 }), 'notes', 'WRONG_TYPE'],
    [place({ lines: { sku: 'MUG', quantity: 1 } }), 'lines', 'WRONG_TYPE'],
    [place({ metadata: { n: 1 } }), 'metadata.n', 'WRONG_TYPE'],
    [place({ customer: [] }), 'customer', 'WRONG_TYPE'],
  ]
  for (const [answer, field, code] of cases) {
    const { status, body } = await answer
    t.match(
      { status, body },
      { status: 422, body: { error: { code: 'VALIDATION_FAILED' }, errors: [{ field, code }] } },
    )
  }
  for (const body of ['null', '[]', '"x"', '1', 'true', '[{}]']) {
    const answer = await client.post('/v1/orders', body, { 'content-type': 'application/json' })
    t.match(answer, { status: 422, body: { errors: [{ field: '', pointer: '', code: 'WRONG_TYPE' }] } }, body)
  }
  t.equal((await client.post('/v1/orders')).status, 422, 'no body at all')
  t.equal(await ordersStored(), before)
})

t.test('removes nothing: an unknown key is refused, with a suggestion where one is close', async (t) => {
  const cases = [
    [placeLine({ quantty: 1 }), 'lines[0].quantty', '/lines/0/quantty', 'quantity'],
    [placeLine({ Quantity: 1 }), 'lines[0].Quantity', '/lines/0/Quantity', 'quantity'],
    [place({ paymentTerm: 'prepaid' }), 'paymentTerm', '/paymentTerm', 'paymentTerms'],
    [place({ customer: { mail: 'a@b.example' } }), 'customer.mail', '/customer/mail', 'email'],
    [place({ status: 'completed' }), 'status', '/status', undefined],
    [place({ 'a/b~c': 1 }), 'a/b~c', '/a~1b~0c', undefined],
    [place({ ['x'.repeat(70)]: 1 }), 'x'.repeat(70), `/${'x'.repeat(70)}`, undefined],
  ] as const
  for (const [answer, field, pointer, suggestion] of cases) {
    const { status, body } = await answer
    t.equal(status, 422)
    const expected = { field, pointer, code: 'UNKNOWN_FIELD', message: 'is not a field here' }
    t.same(body.errors, [suggestion === undefined ? expected : { ...expected, suggestion }])
  }
})

t.test('lists one entry per field, at most 100, and tells what is allowed', async (t) => {
  const { body } = await client.post('/v1/orders', { paymentTerms: 'cash', currency: 'gbp', lines: [{}], x: 1 })
  const told = body.errors.map((e: { field: string; code: string }) => `${e.field} ${e.code}`).sort()
  t.same(told, [
    'currency WRONG_FORMAT',
    'lines[0].quantity REQUIRED',
    'lines[0].sku REQUIRED',
    'paymentTerms NOT_ALLOWED',
    'x UNKNOWN_FIELD',
  ])
  const terms = body.errors.find((e: { field: string }) => e.field === 'paymentTerms')
  t.equal(terms.message, 'must be one of prepaid, onAccount')
  t.equal(body.error.message, body.detail)
  const many = await place({ lines: Array.from({ length: 300 }, () => ({})) })
  t.equal(many.body.errors.length, 100)
})

t.test('holds the bounds of the schema', async (t) => {
  const cases = [
    [placeLine({ quantity: 0 }), 'TOO_SMALL'],
    [placeLine({ quantity: 1_000_001 }), 'TOO_LARGE'],
    [placeLine({ sku: '' }), 'TOO_SHORT'],
    [placeLine({ sku: 'x'.repeat(65) }), 'TOO_LONG'],
    [placeLine({ sku: 'a\tb' }), 'WRONG_FORMAT'],
    [placeLine({ unitPrice: { amount: -1, currency: 'GBP' } }), 'TOO_SMALL'],
    [place({ lines: [] }), 'TOO_FEW'],
    [place({ lines: Array.from({ length: 1_001 }, () => ({ sku: 'MUG', quantity: 1 })) }), 'TOO_MANY'],
    [place({ notes: 'x'.repeat(2_001) }), 'TOO_LONG'],
    [place({ source: 'shop' }), 'REQUIRED'],
    [place({ customer: { email: 'nobody' } }), 'WRONG_FORMAT'],
    [place({ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])) }), 'TOO_MANY'],
  ] as const
  for (const [answer, code] of cases) {
    const { status, body } = await answer
    t.equal(status, 422, code)
    t.equal(body.errors[0].code, code)
  }
  t.equal(
    (await place({ metadata: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v'])) })).status,
    201,
  )
})

t.test('reads query parameters as text of the declared type, and refuses the rest', async (t) => {
  const statusOf = async (query: string) => (await client.get(`/v1/orders?${query}`)).status
  for (const query of ['limit=1', 'limit=100', 'status=pending', 'status=pending&status=confirmed', 'source=shop'])
    t.equal(await statusOf(query), 200, query)
  const refused = ['limit=0', 'limit=101', 'limit=', 'limit=x', 'limit=1.5', 'limit=-1', 'limit=1&limit=2', 'status=x']
  for (const query of [...refused, 'source=a&source=b', 'placedFrom=yesterday', 'placedFrom=1700000000', 'source='])
    t.equal(await statusOf(query), 422, query)
  const unknown = await client.get('/v1/orders?statuss=pending&page=2&__proto__=1')
  t.equal(unknown.status, 422)
  const told = unknown.body.errors.map((e: { field: string; code: string }) => `${e.field} ${e.code}`).sort()
  t.same(told, ['__proto__ UNKNOWN_FIELD', 'page UNKNOWN_FIELD', 'statuss UNKNOWN_FIELD'])
  const close = unknown.body.errors.find((e: { field: string }) => e.field === 'statuss')
  t.match(close, { suggestion: 'status', message: 'is not a parameter here' })
})

t.test('refuses path parameters that can be no id', async (t) => {
  for (const id of ['ord_', 'ord_x', `prd_${'0'.repeat(26)}`, `ord_8${'0'.repeat(25)}`, `ord_${'0'.repeat(25)}u`, '1'])
    t.equal((await client.get(`/v1/orders/${id}`)).status, 422, id)
  t.equal((await client.get(`/v1/orders/ord_${'0'.repeat(26)}`)).status, 404)
})
