import { inspect } from 'node:util'
import {
  ApiError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  DecodeError,
  GapError,
  NotFoundError,
  PermissionError,
  type PlaceOrder,
  PreconditionError,
  PurserError,
  RateLimitError,
  ServerError,
  ValidationError,
} from '@purser/sdk'
import { test } from 'tap'
import { failure, ok, problem, serve, withHeaders } from './server.ts'

const input: PlaceOrder = { paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 6 }] }

const classes = new Map<number, typeof ApiError>([
  [304, ApiError],
  [400, BadRequestError],
  [401, AuthenticationError],
  [403, PermissionError],
  [404, NotFoundError],
  [405, ApiError],
  [409, ConflictError],
  [410, GapError],
  [412, PreconditionError],
  [422, ValidationError],
  [428, PreconditionError],
  [429, RateLimitError],
  [500, ServerError],
  [503, ServerError],
])

for (const [status, Class] of classes)
  test(`throws ${Class.kind} for ${status}`, async (t) => {
    const { client } = await serve(t, [status === 304 ? { status } : problem(status, 'SOME_CODE')])
    const error = await failure(client({ maxRetries: 0 }).orders.get('ord_1'))
    t.ok(error instanceof Class && Class.is(error) && ApiError.is(error) && PurserError.is(error))
    t.match(error, { name: Class.kind, code: status === 304 ? 'HTTP_304' : 'SOME_CODE' })
  })

test('carries what the problem says', async (t) => {
  const issue = { field: 'lines[0].quantity', pointer: '/lines/0/quantity', code: 'too_small', message: 'at least 1' }
  const reply = problem(422, 'VALIDATION_FAILED', { errors: [issue], retryable: false })
  const { client } = await serve(t, [withHeaders(reply, { 'x-request-id': 'req_head' })])
  const error = await failure(client().orders.place({ ...input, lines: [] }, { idempotencyKey: 'secret-key' }))
  if (!ValidationError.is(error, 'VALIDATION_FAILED')) return t.fail(inspect(error))
  t.match(error, {
    status: 422,
    operation: 'orders.place',
    requestId: 'req_head',
    attempts: 1,
    idempotencyKey: 'secret-key',
    docUrl: 'http://127.0.0.1/problems/x',
    issues: [issue],
    retryAfterMs: undefined,
  })
  t.equal(error.problem?.detail, 'a detail')
  t.equal(error.message, 'orders.place: 422 VALIDATION_FAILED (req_head)')
})

test('says status, code and request in its message, and no header, key or body', async (t) => {
  const { client } = await serve(t, [problem(409, 'OUT_OF_STOCK', { detail: 'body-canary' })])
  const error = await failure(
    client({ apiKey: 'canary', headers: { 'x-a': 'canary' } }).orders.place(
      { ...input, notes: 'canary' },
      { idempotencyKey: 'canary' },
    ),
  )
  t.equal(error instanceof Error && error.message, 'orders.place: 409 OUT_OF_STOCK (req_body)')
  t.notMatch(inspect(error), 'body-canary', 'a printed error does not show the body')
  t.match(inspect(error), /^ConflictError: orders\.place: 409/)
})

test('recognises errors of another copy of the package', async (t) => {
  // A second instance of the module, as two versions in one program would be.
  const copy = (await import(
    `${new URL('../src/errors.ts', import.meta.url)}?copy`
  )) as typeof import('../src/errors.ts')
  const error: unknown = copy.toApiError(409, problem(409, 'OUT_OF_STOCK').json, { operation: 'orders.place' })
  t.notOk(error instanceof ApiError)
  t.ok(ApiError.is(error, 'OUT_OF_STOCK'))
  t.ok(ConflictError.is(error))
  t.notOk(ApiError.is(error, 'ORDER_NOT_FOUND'))
  t.ok(ApiError.is(error, 'ORDER_NOT_FOUND', 'OUT_OF_STOCK'))
  t.notOk(ServerError.is(error))
})

test('takes nothing else for an error of its own', async (t) => {
  for (const value of [undefined, null, 'x', 1, {}, new Error('x'), { code: 'OUT_OF_STOCK' }])
    t.notOk(PurserError.is(value), inspect(value))
})

test('makes a ServerError of a proxy page', async (t) => {
  const { client } = await serve(t, [{ status: 502, text: '<html>Bad gateway</html>' }])
  const error = await failure(client({ maxRetries: 0 }).orders.get('ord_1'))
  t.ok(ServerError.is(error))
  t.match(error, { code: 'HTTP_502', status: 502, issues: [], requestId: undefined, docUrl: undefined })
})

test('makes the typed error of JSON that is no problem', async (t) => {
  for (const json of [null, 'x', [], {}, { error: 'nope' }, { error: { message: 'x' } }]) {
    const { client } = await serve(t, [{ status: 404, json }])
    t.match(await failure(client().orders.get('ord_1')), { code: 'HTTP_404', name: 'NotFoundError' })
  }
})

test('throws DecodeError for a success that is not what was promised', async (t) => {
  const bodies = ['{"success":true,"data":', '', '<html></html>', 'null', '[]', '{"id":"ord_1"}', '{"success":false}']
  for (const text of bodies) {
    const { client, requests } = await serve(t, [{ text, headers: { 'x-request-id': 'req_1' } }])
    const error = await failure(client().orders.get('ord_1'))
    t.ok(DecodeError.is(error), text)
    t.match(error, { code: 'DECODE_FAILED', status: 200, requestId: 'req_1', operation: 'orders.get' })
    t.equal(requests.length, 1)
  }
  const { client } = await serve(t, [ok([])])
  t.match(await failure(client().orders.list()), { code: 'DECODE_FAILED' }, 'a list without its page')
})
