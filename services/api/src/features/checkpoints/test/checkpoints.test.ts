import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t from 'tap'
import { ledgerKeys } from '#platform/ledger-keys.ts'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'

const h = await harness(t)
const auditor = h.as(h.tenant.key)
const sign = async () => (await auditor.post('/v1/audit/checkpoints')).body.data

t.test('a checkpoint is a JWS that any library can verify with the published key', async (t) => {
  await relay(h)
  const checkpoint = await sign()
  const [head = '', body = '', signature = ''] = checkpoint.jws.split('.')
  const parse = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  const published = (await h.as().get('/.well-known/jwks.json')).body
  const key = published.keys.find(({ kid }: { kid: string }) => kid === parse(head).kid)
  t.same(parse(head), { alg: 'EdDSA', kid: checkpoint.keyId, typ: 'purser-checkpoint' })
  t.same(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  const publicKey = createPublicKey({ key, format: 'jwk' })
  t.ok(verify(null, Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, 'base64url')))
  const { id, number, sequence, hash, signedAt } = checkpoint
  const { organizationId } = h.tenant
  t.same(parse(body), { organizationId, id, number, sequence, hash, previous: null, signedAt })
})

t.test('is listed newest first, and read by its id', async (t) => {
  const [second, third] = [await sign(), await sign()]
  t.same([second.number, third.number], [2, 3])
  const listed = (await auditor.get('/v1/audit/checkpoints')).body.data
  t.same(listed.slice(0, 2), [third, second])
  t.same((await auditor.get(`/v1/audit/checkpoints/${second.id}`)).body.data, second)
  const page = (await auditor.get('/v1/audit/checkpoints?limit=1')).body
  const next = await auditor.get(`/v1/audit/checkpoints?limit=1&after=${page.meta.page.nextCursor}`)
  t.same(next.body.data, [second])
})

t.test('is told to everybody who reads events', async (t) => {
  const checkpoint = await sign()
  await relay(h)
  const events = await auditor.get(`/v1/events?resource=${checkpoint.id}`)
  t.match(events.body.data, [{ type: 'checkpoint.signed', data: checkpoint }])
})

t.test('of many at once each has a number of its own', async (t) => {
  const before = (await sign()).number
  const answers = await Promise.all(Array.from({ length: 3 }, () => auditor.post('/v1/audit/checkpoints')))
  const numbers = answers.filter(({ status }) => status === 201).map(({ body }) => body.data.number)
  t.same(
    numbers.sort((a, b) => a - b),
    numbers.map((_, index) => before + 1 + index),
  )
  t.same((await auditor.post('/v1/audit/verify', {})).body.data.firstProblem, null)
})

t.test('without a configured key one is made once, and kept where only its owner reads it', async (t) => {
  const folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'purser-keys-')), 'data')
  const settings = () => ({ LEDGER_SIGNING_KEY: '', LEDGER_PREVIOUS_PUBLIC_KEYS: '', DATA_DIR: folder })
  const [first, second] = [ledgerKeys(settings()), ledgerKeys(settings())]
  t.equal(first.keyId, second.keyId)
  const file = path.join(folder, 'ledger-signing-key.pem')
  t.equal(statSync(file).mode & 0o777, 0o600)
  const pem = readFileSync(file, 'utf8')
  t.equal(ledgerKeys({ ...settings(), LEDGER_SIGNING_KEY: pem.replaceAll('\n', '\\n') }).keyId, first.keyId)
})
