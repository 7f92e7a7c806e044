import t from 'tap'
import { newId } from '#platform/id.ts'
import { harness } from '#test/harness.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { persist, refusalOf, tally } from '#test/persistence.ts'

const { as, tenant, otherTenant, db } = await harness(t)
const operator = as(tenant.key)
const stranger = await otherTenant()

t.test('creates a location that is not the default', async (t) => {
  const { status, body, headers } = await operator.post('/v1/locations', { name: 'North' })
  t.equal(status, 201)
  const { data } = body
  t.strictSame(data, {
    id: data.id,
    name: 'North',
    isDefault: false,
    metadata: {},
    version: 1,
    createdAt: data.createdAt,
    updatedAt: data.createdAt,
  })
  t.match(headers.location, new RegExp(`/v1/locations/${data.id}$`))
  const read = await operator.get(`/v1/locations/${data.id}`)
  t.equal(read.status, 200)
  t.strictSame(read.body.data, data)
  t.equal(read.headers.etag, headers.etag)
})

t.test('makes a location the default one in place of the one before', async (t) => {
  const { body } = await operator.post('/v1/locations', { name: 'East', isDefault: true, metadata: { dock: '7' } })
  t.match(body.data, { isDefault: true, metadata: { dock: '7' } })
  t.equal((await operator.get(`/v1/locations/${tenant.locationId}`)).body.data.isDefault, false)
  const defaults = (await operator.get('/v1/locations')).body.data.filter(
    ({ isDefault }: { isDefault: boolean }) => isDefault,
  )
  t.same(defaults, [body.data])
})

t.test('lists locations, oldest first, page by page', async (t) => {
  const all = (await operator.get('/v1/locations')).body.data.map(({ id }: { id: string }) => id)
  t.equal(all[0], tenant.locationId)
  const first = await operator.get('/v1/locations?limit=1')
  const second = await operator.get(`/v1/locations?limit=100&after=${first.body.meta.page.nextCursor}`)
  t.same(
    [...first.body.data, ...second.body.data].map(({ id }) => id),
    all,
  )
  const back = await operator.get(`/v1/locations?limit=5&before=${second.body.meta.page.previousCursor}`)
  t.same(back.body.data, first.body.data)
})

t.test('refuses a location without a name', async (t) => {
  for (const body of [{}, { name: '' }, { name: 'x'.repeat(201) }, { name: 'x', isDefault: 'true' }])
    t.same(tally([await operator.post('/v1/locations', body)]), { '422 VALIDATION_FAILED': 1 })
})

t.test('is for holders of stock:write and stock:read', async (t) => {
  const reader = as(await tenant.keyWith(['stock:read']))
  const writer = as(await tenant.keyWith(['stock:write']))
  t.same(tally([await reader.post('/v1/locations', { name: 'x' })]), { '403 FORBIDDEN': 1 })
  t.same(tally([await writer.get('/v1/locations')]), { '403 FORBIDDEN': 1 })
  t.same(tally([await writer.get(`/v1/locations/${tenant.locationId}`)]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's location as for an absent one", async (t) => {
  const foreign = await operator.get(`/v1/locations/${stranger.locationId}`)
  t.equal(foreign.status, 404)
  t.same(refusalOf(foreign), refusalOf(await operator.get(`/v1/locations/${newId('loc')}`)))
  t.equal((await as(stranger.key).get('/v1/locations')).body.data.length, 1)
})

t.test('has one default after many became it at once', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      persist(() => operator.post('/v1/locations', { name: `Default ${index}`, isDefault: true })),
    ),
  )
  t.same(tally(answers), { 201: 8 })
  const { rows } = await db.query('select count(*) from locations where organization_id = $1 and is_default', [
    tenant.organizationId,
  ])
  t.same(rows, [{ count: '1' }])
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
