import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createEncryption } from '#platform/encryption.ts'
import { rotateColumn } from '#platform/encryption-rotation.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'
import { inherited } from '#test/launched.ts'
import { encryptedColumns } from '../../runtime.ts'

const run = promisify(execFile)
const [old, fresh, lost] = [0, 1, 2].map(() => randomBytes(32).toString('base64')) as [string, string, string]
const place = { table: 'webhook_secrets', column: 'ciphertext' } as const
const { table } = place
const h = await harness(t, { env: { ENCRYPTION_KEY: old } })
const { unitOfWork } = h.runtime

t.test('every encrypted column is re-encrypted with the first key, in every organization', async (t) => {
  const other = await h.otherTenant()
  const secrets = new Map<string, string>()
  for (const { key } of [h.tenant, h.tenant, other]) {
    const made = await h.as(key).post('/v1/webhook-endpoints', { url: 'https://hooks.example/a' })
    secrets.set(made.body.data.id, made.body.data.secret)
  }
  t.same(encryptedColumns, [place])
  const stored = async () =>
    (await h.db.query(`select organization_id, id, endpoint_id, ciphertext from ${table} order by id`)).rows
  const { log } = captureLog()
  const encryption = createEncryption(`${fresh},${old}`)
  const rotate = () => rotateColumn({ unitOfWork, encryption, log }, place)

  t.same(await rotate(), { rows: 3, unopened: 0 })
  const alone = createEncryption(fresh)
  for (const { organization_id: organizationId, id, endpoint_id, ciphertext } of await stored())
    t.equal(alone.decrypt(ciphertext, { table, organizationId, id }), secrets.get(endpoint_id))
  const before = await stored()
  t.same(await rotate(), { rows: 0, unopened: 0 }, 'once more, it finds nothing to do')
  t.same(await stored(), before)
})

t.test('the command does so by ENCRYPTION_KEY, and its exit code tells what no key opened', async (t) => {
  await h.as(h.tenant.key).post('/v1/webhook-endpoints', { url: 'https://hooks.example/a' })
  const program = fileURLToPath(new URL('../../rotate-encryption.ts', import.meta.url))
  const command = async (keys: string) => {
    const env = { ...inherited, DATABASE_URL: h.databaseUrl, LOG_LEVEL: 'silent', ENCRYPTION_KEY: keys }
    return run(process.execPath, [program], { env, timeout: 60_000 }).then(
      ({ stdout }) => ({ code: 0, told: JSON.parse(stdout) }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, told: JSON.parse(stdout) }),
    )
  }
  t.same(await command(`${fresh},${old}`), { code: 0, told: { ...place, rows: 1, unopened: 0 } })
  const rotated = await rotateColumn({ unitOfWork, encryption: createEncryption(fresh), log: h.runtime.log }, place)
  t.same(rotated, { rows: 0, unopened: 0 }, 'the first key alone opens all of them')
  t.same(await command(lost), { code: 1, told: { ...place, rows: 0, unopened: 4 } })
})

t.test('what no key opens is told and left as it was, and the rest is done', async (t) => {
  const { key, organizationId } = await h.otherTenant()
  for (let count = 0; count < 2; count++)
    await h.as(key).post('/v1/webhook-endpoints', { url: 'https://hooks.example/a' })
  const ofTenant = `select id from ${table} where organization_id = $1 order by id limit 1`
  const [{ id }] = (await h.db.query(ofTenant, [organizationId])).rows
  const ciphertext = createEncryption(lost).encrypt('whsec_lost', { table, organizationId, id })
  await h.db.query(`update ${table} set ciphertext = $1 where id = $2`, [ciphertext, id])
  const captured = captureLog()
  const encryption = createEncryption(`${fresh},${old}`)
  const dependencies = { unitOfWork, encryption, log: captured.log }
  t.same(await rotateColumn(dependencies, place), { rows: 1, unopened: 1 })
  t.match(captured.take(), [{ level: 'error', err: { message: `no key of ENCRYPTION_KEY opens ${table} ${id}` } }])
  const kept = await h.db.query(`select ciphertext from ${table} where id = $1`, [id])
  t.equal(kept.rows[0].ciphertext, ciphertext)
})
