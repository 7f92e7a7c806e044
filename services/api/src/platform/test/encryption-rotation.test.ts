import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createEncryption } from '#platform/encryption.ts'
import { rotateColumn } from '#platform/encryption-rotation.ts'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'
import { encryptedColumns } from '../../runtime.ts'

const run = promisify(execFile)
const [old, fresh, lost] = [0, 1, 2].map(() => randomBytes(32).toString('base64')) as [string, string, string]
const table = 'webhook_secrets'

t.test('every encrypted column is re-encrypted with the first key, in every organization', async (t) => {
  const h = await harness(t, { env: { ENCRYPTION_KEY: old } })
  const other = await h.otherTenant()
  const secrets = new Map<string, string>()
  for (const { key } of [h.tenant, h.tenant, other]) {
    const made = await h.as(key).post('/v1/webhook-endpoints', { url: 'https://hooks.example/a' })
    secrets.set(made.body.data.id, made.body.data.secret)
  }
  t.same(encryptedColumns, [{ table, column: 'ciphertext' }])
  const stored = async () =>
    (await h.db.query(`select organization_id, id, endpoint_id, ciphertext from ${table} order by id`)).rows
  const { log } = captureLog()
  const { unitOfWork } = h.runtime
  const encryption = createEncryption(`${fresh},${old}`)
  const rotate = () => rotateColumn({ unitOfWork, encryption, log }, { table, column: 'ciphertext' })

  t.same(await rotate(), { rows: 3, unopened: 0 })
  const alone = createEncryption(fresh)
  for (const { organization_id: organizationId, id, endpoint_id, ciphertext } of await stored())
    t.equal(alone.decrypt(ciphertext, { table, organizationId, id }), secrets.get(endpoint_id))
  const before = await stored()
  t.same(await rotate(), { rows: 0, unopened: 0 }, 'once more, it finds nothing to do')
  t.same(await stored(), before)
})

t.test('what no key opens is told and left as it was, and the rest is done', async (t) => {
  const h = await harness(t, { env: { ENCRYPTION_KEY: old } })
  for (let count = 0; count < 2; count++)
    await h.as(h.tenant.key).post('/v1/webhook-endpoints', { url: 'https://hooks.example/a' })
  const { rows } = await h.db.query(`select organization_id, id from ${table} order by id limit 1`)
  const [{ organization_id: organizationId, id }] = rows
  const ciphertext = createEncryption(lost).encrypt('whsec_lost', { table, organizationId, id })
  await h.db.query(`update ${table} set ciphertext = $1 where id = $2`, [ciphertext, id])
  const captured = captureLog()
  const encryption = createEncryption(`${fresh},${old}`)
  const dependencies = { unitOfWork: h.runtime.unitOfWork, encryption, log: captured.log }
  t.same(await rotateColumn(dependencies, { table, column: 'ciphertext' }), { rows: 1, unopened: 1 })
  t.match(captured.take(), [{ level: 'error', err: { message: `no key of ENCRYPTION_KEY opens ${table} ${id}` } }])
  const kept = await h.db.query(`select ciphertext from ${table} where id = $1`, [id])
  t.equal(kept.rows[0].ciphertext, ciphertext)
})

t.test('the command does so by ENCRYPTION_KEY, and its exit code tells what no key opened', async (t) => {
  const h = await harness(t, { env: { ENCRYPTION_KEY: old } })
  await h.as(h.tenant.key).post('/v1/webhook-endpoints', { url: 'https://hooks.example/a' })
  const program = fileURLToPath(new URL('../../rotate-encryption.ts', import.meta.url))
  const command = async (keys: string) => {
    const env = { PATH: process.env.PATH, DATABASE_URL: h.databaseUrl, LOG_LEVEL: 'silent', ENCRYPTION_KEY: keys }
    return run(process.execPath, [program], { env, timeout: 60_000 }).then(
      ({ stdout }) => ({ code: 0, told: JSON.parse(stdout) }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, told: JSON.parse(stdout) }),
    )
  }
  const place = { table, column: 'ciphertext' }
  t.same(await command(`${fresh},${old}`), { code: 0, told: { ...place, rows: 1, unopened: 0 } })
  t.same(await command(fresh), { code: 0, told: { ...place, rows: 0, unopened: 0 } })
  t.same(await command(lost), { code: 1, told: { ...place, rows: 0, unopened: 1 } })
})
