import t from 'tap'
import { newId } from '#platform/id.ts'
import { testConfig } from '#test/config.ts'
import { harness } from '#test/harness.ts'
import { createClient } from '#test/http-client.ts'
import { ledgerAddsUp } from '#test/invariants.ts'
import { eventually, persist, refusalOf, tally } from '#test/persistence.ts'
import { buildApp } from '../../../app.ts'
import { createRuntime } from '../../../runtime.ts'

const { as, tenant, otherTenant, db, databaseUrl } = await harness(t)
const admin = as(tenant.key)

async function key(scopes: readonly string[] = ['orders:read']): Promise<{ id: string; secret: string }> {
  return (await admin.post('/v1/api-keys', { name: 'shop', scopes })).body.data
}
const revoke = (id: string) => admin.post(`/v1/api-keys/${id}/revoke`)
const statusWith = async (secret: string) => (await as(secret).get('/v1/orders')).status

t.test('stops a key at once, though it was used a moment ago', async (t) => {
  const { id, secret } = await key()
  t.equal(await statusWith(secret), 200)
  const { status, body } = await revoke(id)
  t.equal(status, 200)
  t.match(body.data, { id, status: 'revoked', version: 2 })
  t.equal(body.data.revokedAt, body.data.updatedAt)
  t.equal(await statusWith(secret), 401)
  t.strictSame((await admin.get(`/v1/api-keys/${id}`)).body.data.status, 'revoked')
})

t.test('stops it within the cache time in every other process', async (t) => {
  const config = testConfig(databaseUrl, { AUTHENTICATION_CACHE_TTL_MS: '300' })
  const runtime = createRuntime(config, { process: 'server' })
  const other = await buildApp(runtime)
  t.teardown(async () => {
    await other.http.close()
    await runtime.jobs.stop()
    await runtime.database.close()
  })
  const { id, secret } = await key()
  const elsewhere = createClient(other.http, secret)
  t.equal((await elsewhere.get('/v1/orders')).status, 200)
  await revoke(id)
  const refused = await eventually('the key is refused', async () => {
    const answer = await elsewhere.get('/v1/orders')
    return answer.status !== 200 && answer
  })
  t.same(tally([refused]), { '401 UNAUTHORIZED': 1 })
})

t.test('leaves the key that it was rotated into', async (t) => {
  const old = await key()
  const rotated = (await admin.post(`/v1/api-keys/${old.id}/rotate`, {})).body.data
  await revoke(old.id)
  t.equal(await statusWith(old.secret), 401)
  t.equal(await statusWith(rotated.secret), 200)
})

t.test('changes nothing when it is repeated', async (t) => {
  const { id } = await key()
  const first = await revoke(id)
  const again = await revoke(id)
  t.equal(again.status, 200)
  t.strictSame(again.body.data, first.body.data)
  const { rows } = await db.query('select type, changed from ledger where resource_id = $1 order by resource_version', [
    id,
  ])
  t.same(rows, [
    { type: 'apiKey.created', changed: [] },
    { type: 'apiKey.revoked', changed: ['revokedAt'] },
  ])
})

t.test('lets a key end itself', async (t) => {
  const { id, secret } = await key(['apiKeys:write'])
  t.equal((await as(secret).post(`/v1/api-keys/${id}/revoke`)).status, 200)
  t.same(tally([await as(secret).post(`/v1/api-keys/${id}/revoke`)]), { '401 UNAUTHORIZED': 1 })
})

t.test('is for holders of apiKeys:write', async (t) => {
  const { id, secret } = await key(['apiKeys:read'])
  t.same(tally([await as(secret).post(`/v1/api-keys/${id}/revoke`)]), { '403 FORBIDDEN': 1 })
})

t.test("answers for another tenant's key as for an absent one, and leaves it", async (t) => {
  const stranger = await otherTenant()
  const foreign = await revoke(stranger.keyId)
  t.equal(foreign.status, 404)
  t.same(refusalOf(foreign), refusalOf(await revoke(newId('key'))))
  t.equal(await statusWith(stranger.key), 200)
})

t.test('twenty at once revoke it once', async (t) => {
  const { id } = await key()
  const answers = await Promise.all(Array.from({ length: 20 }, () => persist(() => revoke(id))))
  t.same(tally(answers), { 200: 20 })
  t.equal(new Set(answers.map(({ data }) => data)).size, 1)
})

t.test('afterwards the ledger adds up', (t) => ledgerAddsUp(t, db))
