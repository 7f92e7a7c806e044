import { readFileSync } from 'node:fs'
import t from 'tap'
import { canonicalJson } from '#platform/canonical-json.ts'
import { canonicalEvent, digestPersonal, eventHash } from '#platform/event-chain.ts'
import { ledgerKeys } from '#platform/ledger-keys.ts'

/** The same file is held against the SDK's own implementation, which purser-verify uses. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../../../sdk/test/ledger-vectors.json', import.meta.url), 'utf8'),
)

t.test('canonical JSON is that of RFC 8785', async (t) => {
  for (const { input, canonical } of vectors.canonical) t.equal(canonicalJson(JSON.parse(input)), canonical)
})

t.test('events have the canonical form and the hash of the vectors', async (t) => {
  const { organizationId, chain } = vectors
  for (const { event, previousHash, canonical, hash } of chain) {
    t.equal(canonicalEvent({ ...event, organizationId, previousHash }), canonical)
    t.equal(eventHash({ ...event, organizationId, previousHash }), hash)
  }
  for (const { personal, salt, digest } of vectors.personal)
    t.equal(digestPersonal(personal, Buffer.from(salt, 'hex')), digest)
})

t.test('a checkpoint is opened by the key that signed it, also when that is a previous one', async (t) => {
  const { jwks, jws, signed } = vectors.checkpoint
  const [{ x, kid }] = jwks.keys
  const present = Buffer.alloc(32, 1).toString('base64')
  const settings = { LEDGER_SIGNING_KEY: present, LEDGER_PREVIOUS_PUBLIC_KEYS: x, DATA_DIR: '' }
  const keys = ledgerKeys(settings)
  t.same(keys.open(jws), signed)
  t.equal(keys.published.keys[1]?.kid, kid)
  t.equal(ledgerKeys({ ...settings, LEDGER_PREVIOUS_PUBLIC_KEYS: '' }).open(jws), null)
})

t.test('refuses whatever was not signed just so', async (t) => {
  const keys = ledgerKeys({
    LEDGER_SIGNING_KEY: Buffer.alloc(32, 2).toString('base64'),
    LEDGER_PREVIOUS_PUBLIC_KEYS: '',
    DATA_DIR: '',
  })
  const jws = keys.sign({ sequence: 1 })
  const [head = '', body = '', signature = ''] = jws.split('.')
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { keyId: kid } = keys
  t.same(keys.open(jws), { sequence: 1 })
  for (const other of [
    '',
    '..',
    `${head}.${body}`,
    `${head}.${body}.`,
    `${head}.${encoded({ sequence: 2 })}.${signature}`,
    `${encoded({ alg: 'none', kid, typ: 'purser-checkpoint' })}.${body}.${signature}`,
    `${encoded({ alg: 'EdDSA', kid, typ: 'JWT' })}.${body}.${signature}`,
    `${jws}.`,
    `${jws}=`,
    `${head}.${body}.${signature.slice(0, -1)}B`,
    ` ${jws}`,
  ])
    t.equal(keys.open(other), null, other)
})
