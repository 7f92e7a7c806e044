import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createEncryption } from '#platform/encryption.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'

const captured = captureLog('trace')
let now = Date.parse('2026-01-15T09:30:00.000Z')
const h = await harness(t, { log: captured.log, clock: { now: () => new Date(now) } })
const client = h.as(h.tenant.key)
const url = 'https://hooks.shop.example/purser'
const base = '/v1/webhook-endpoints'
const hour = 3_600_000

/** The secrets that sign at this moment, the current one first. */
async function signing(endpointId: string): Promise<string[]> {
  const { rows } = await h.db.query(
    `select organization_id, id, ciphertext from webhook_secrets
     where endpoint_id = $1 and (expires_at is null or expires_at > $2) order by expires_at desc nulls first`,
    [endpointId, new Date(now)],
  )
  const { decrypt } = createEncryption(h.runtime.config.ENCRYPTION_KEY)
  return rows.map(({ organization_id: organizationId, id, ciphertext }) =>
    decrypt(ciphertext, { table: 'webhook_secrets', organizationId, id }),
  )
}

t.test('rotated, the old secret signs for 24 h beside the new one', async (t) => {
  const { id, secret: first } = (await client.post(base, { url })).body.data
  t.same(await signing(id), [first])
  const rotated = (await client.post(`${base}/${id}/rotate-secret`)).body.data
  t.match(rotated, { id, version: 2, previousSecretExpiresAt: '2026-01-16T09:30:00.000Z' })
  t.not(rotated.secret, first)
  t.same(await signing(id), [rotated.secret, first])
  now += 23 * hour
  t.same(await signing(id), [rotated.secret, first])
  now += 2 * hour
  t.same(await signing(id), [rotated.secret])
})

t.test('two sign at most: rotated twice, the first signs no more', async (t) => {
  const { id } = (await client.post(base, { url })).body.data
  const second = (await client.post(`${base}/${id}/rotate-secret`)).body.data.secret
  now += hour
  const third = (await client.post(`${base}/${id}/rotate-secret`)).body.data.secret
  t.same(await signing(id), [third, second])
  t.equal((await client.post(`${base}/${id}/rotate-secret`, {}, { 'if-match': '"1"' })).status, 412)
  t.same(await signing(id), [third, second], 'a refusal changes nothing')
  await Promise.all([1, 2, 3].map(() => client.post(`${base}/${id}/rotate-secret`)))
  t.equal((await signing(id)).length, 2, 'rotated by three at once as well')
})

t.test('a retry with the same key shows the same secret, and the store does not hold it', async (t) => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await client.post(base, { url }, key)
  const again = await client.post(base, { url }, key)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.equal(again.data, first.data)
  const { id } = first.body.data
  const rotation = { 'idempotency-key': randomUUID() }
  const rotated = await client.post(`${base}/${id}/rotate-secret`, undefined, rotation)
  t.equal((await client.post(`${base}/${id}/rotate-secret`, undefined, rotation)).data, rotated.data)
  t.equal((await signing(id))[0], rotated.body.data.secret, 'and it was rotated once')
})

t.test('secrets are in no log line, no table and no other answer', async (t) => {
  const made = (await client.post(base, { url })).body.data
  const { id } = made
  const rotated = (await client.post(`${base}/${id}/rotate-secret`)).body.data
  const answers = [
    await client.get(base),
    await client.get(`${base}/${id}`),
    await client.patch(`${base}/${id}`, { description: 'x' }, { 'if-match': '*' }),
    await client.post(`${base}/${id}/test`),
    await client.post(`${base}/${id}/disable`),
    await client.post(`${base}/${id}/enable`),
    await client.get('/v1/webhook-deliveries'),
  ]
  t.ok(answers.every(({ status }) => status < 300))
  const { rows: tables } = await h.db.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss')`,
  )
  const contents: string[] = []
  for (const { name } of tables) {
    const { rows } = await h.db.query(`select coalesce(string_agg(t::text, ' '), '') as text from ${name} t`)
    contents.push(rows[0].text)
  }
  const everything = [...contents, ...captured.raw, ...answers.map(({ text }) => text)].join('\n')
  t.match(everything, id, 'the endpoint is there')
  t.notMatch(everything, 'whsec_')
  for (const secret of [made.secret, rotated.secret] as string[]) {
    const bytes = Buffer.from(secret.slice(6), 'base64')
    for (const form of [secret, secret.slice(6), bytes.toString('hex'), bytes.toString('base64url')])
      t.notOk(everything.includes(form), 'in no form')
  }
})
