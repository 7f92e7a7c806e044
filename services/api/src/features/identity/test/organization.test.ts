import { randomUUID } from 'node:crypto'
import t from 'tap'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { persist, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const admin = as(tenant.key)
const read = () => admin.get('/v1/organization')
const change = (body: object, headers = {}) => admin.patch('/v1/organization', body, headers)
const anyVersion = { 'if-match': '*' }

t.test('reads the organization of the caller, 304 while it is unchanged', async (t) => {
  const { status, body, headers } = await read()
  t.equal(status, 200)
  t.strictSame(body.data, {
    id: tenant.organizationId,
    name: 'Test',
    currency: 'GBP',
    metadata: {},
    version: 1,
    createdAt: body.data.createdAt,
    updatedAt: body.data.createdAt,
  })
  t.equal((await admin.get('/v1/organization', { 'if-none-match': headers.etag ?? '' })).status, 304)
})

t.test('changes what is given and keeps the rest', async (t) => {
  const before = await read()
  const renamed = await change({ name: 'Ünited Mugs' }, { 'if-match': before.headers.etag ?? '' })
  t.equal(renamed.status, 200)
  t.strictSame(renamed.body.data, {
    ...before.body.data,
    name: 'Ünited Mugs',
    version: 2,
    updatedAt: renamed.body.data.updatedAt,
  })
  const tagged = await change({ metadata: { plan: 'gold' } }, { 'if-match': '"2"' })
  t.match(tagged.body.data, { name: 'Ünited Mugs', metadata: { plan: 'gold' }, version: 3 })
  t.strictSame((await read()).body.data, tagged.body.data)
})

t.test('leaves an entry in the ledger', async (t) => {
  const { body } = await change({ name: 'Once more' }, anyVersion)
  const { rows } = await db.query(
    'select type, changed, data from ledger where resource_id = $1 order by resource_version desc limit 1',
    [tenant.organizationId],
  )
  t.same(rows, [{ type: 'organization.updated', changed: ['name'], data: body.data }])
})

t.test('needs If-Match, and the present version in it', async (t) => {
  t.same(tally([await change({ name: 'x' })]), { '428 PRECONDITION_REQUIRED': 1 })
  t.same(tally([await change({ name: 'x' }, { 'if-match': '"1"' })]), { '412 PRECONDITION_FAILED': 1 })
  t.same(tally([await change({ name: 'x' }, { 'if-match': '1' })]), { '400 MALFORMED_REQUEST': 1 })
})

t.test('refuses what does not match the schema; the currency is for ever', async (t) => {
  for (const body of [{}, { name: '' }, { currency: 'EUR' }, { version: 9 }, { metadata: { a: 1 } }])
    t.same(tally([await change(body, anyVersion)]), { '422 VALIDATION_FAILED': 1 }, JSON.stringify(body))
})

t.test('is for holders of organization:read and organization:write', async (t) => {
  const reader = as(await tenant.keyWith(['organization:read']))
  const writer = as(await tenant.keyWith(['organization:write']))
  t.same(tally([await reader.patch('/v1/organization', { name: 'x' }, anyVersion)]), { '403 FORBIDDEN': 1 })
  t.same(tally([await writer.get('/v1/organization')]), { '403 FORBIDDEN': 1 })
})

t.test('changes nobody else', async (t) => {
  const stranger = await otherTenant()
  await change({ name: 'Ours alone' }, anyVersion)
  t.match((await as(stranger.key).get('/v1/organization')).body.data, { name: 'Test', version: 1 })
})

t.test('answers a retry with the same key as it answered the first', async (t) => {
  const { headers } = await read()
  const both = { 'if-match': headers.etag ?? '', 'idempotency-key': randomUUID() }
  const first = await change({ name: 'Retried' }, both)
  const retry = await change({ name: 'Retried' }, both)
  t.equal(retry.status, 200)
  t.equal(retry.data, first.data)
})

t.test('of twenty who change the same version at once one does', async (t) => {
  const { headers } = await read()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      persist(() => change({ name: `Name ${index}` }, { 'if-match': headers.etag ?? '' })),
    ),
  )
  t.same(tally(answers), { 200: 1, '412 PRECONDITION_FAILED': 19 })
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
