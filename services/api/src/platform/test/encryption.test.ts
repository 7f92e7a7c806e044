import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createEncryption, parseEncryptionKeys } from '#platform/encryption.ts'

const [a, b] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
const row = { table: 'webhook_secrets', organizationId: 'org_1', id: 'whs_1' }
const failure = { name: 'DecryptionFailed' }
const secret = 'whsec_ünicode'

t.test('gives back what it was given, and never the same ciphertext twice', async (t) => {
  const { encrypt, decrypt, currentPrefix } = createEncryption(a)
  const made = Array.from({ length: 100 }, () => encrypt(secret, row))
  t.equal(new Set(made).size, made.length)
  for (const ciphertext of made) {
    t.ok(ciphertext.startsWith(currentPrefix))
    t.match(ciphertext, /^[0-9a-f]{8}\.[A-Za-z0-9_-]+$/)
    t.notMatch(ciphertext, 'whsec')
    t.equal(decrypt(ciphertext, row), secret)
  }
  t.equal(decrypt(encrypt('', row), row), '', 'nothing is something too')
})

t.test('a ciphertext opens in its own row alone', async (t) => {
  const { encrypt, decrypt } = createEncryption(a)
  const ciphertext = encrypt(secret, row)
  const elsewhere = [
    { ...row, organizationId: 'org_2' },
    { ...row, id: 'whs_2' },
    { ...row, table: 'signing_keys' },
    { table: 'webhook_secrets","org_1', organizationId: 'whs_1', id: '' },
  ]
  for (const other of elsewhere) t.throws(() => decrypt(ciphertext, other), failure, JSON.stringify(other))
})

t.test('a ciphertext that was changed does not open', async (t) => {
  const { encrypt, decrypt, currentPrefix } = createEncryption(a)
  const ciphertext = encrypt(secret, row)
  const body = ciphertext.slice(currentPrefix.length)
  const bytes = Buffer.from(body, 'base64url')
  for (let index = 0; index < bytes.length; index++) {
    const flipped = Buffer.from(bytes)
    flipped[index] = (flipped[index] ?? 0) ^ 1
    t.throws(() => decrypt(currentPrefix + flipped.toString('base64url'), row), failure, `byte ${index}`)
  }
  const broken = ['', '.', body, currentPrefix, `${ciphertext}A`, ciphertext.slice(0, -1), `${ciphertext}.x`]
  for (const text of [...broken, `${ciphertext} `, `${currentPrefix}AAAA`, `.${body}`])
    t.throws(() => decrypt(text, row), failure, text)
})

t.test('the first key encrypts, every listed one decrypts, an unknown one opens nothing', async (t) => {
  const [old, both, fresh] = [createEncryption(a), createEncryption(`${b}, ${a}`), createEncryption(b)]
  const before = old.encrypt(secret, row)
  t.equal(both.decrypt(before, row), secret)
  t.notOk(before.startsWith(both.currentPrefix), 'it is to be encrypted anew')
  const after = both.encrypt(secret, row)
  t.equal(after.split('.')[0], fresh.currentPrefix.slice(0, -1))
  t.equal(fresh.decrypt(after, row), secret)
  t.throws(() => fresh.decrypt(before, row), { message: 'no key of ENCRYPTION_KEY opens webhook_secrets whs_1' })
  const renamed = fresh.currentPrefix + before.slice(old.currentPrefix.length)
  t.throws(() => both.decrypt(renamed, row), failure, 'the id of another key')
})

t.test('an error tells neither secret nor key', async (t) => {
  const { encrypt, decrypt } = createEncryption(a)
  const told = (() => {
    try {
      return decrypt(encrypt(secret, row), { ...row, id: 'whs_2' })
    } catch (error) {
      return JSON.stringify(error, Object.getOwnPropertyNames(error))
    }
  })()
  t.notMatch(told, secret)
  t.notOk(told.includes(a))
})

t.test('keys that are none are refused without being repeated', async (t) => {
  for (const [text, problem] of [
    ['short', /key 1 must be 32 bytes/],
    [`${a},`, /key 2 must be 32 bytes/],
    [`${a}AAAA`, /key 1 must be 32 bytes/],
    [randomBytes(31).toString('base64'), /32 bytes/],
    [randomBytes(32).toString('hex'), /32 bytes/],
    [`${a},${b},${a}`, /listed twice/],
  ] as const) {
    t.throws(() => parseEncryptionKeys(text), { message: problem }, text)
    t.throws(() => parseEncryptionKeys(text), { message: /^[^+/=]{1,50}$/ }, 'no key is repeated')
  }
  t.equal(parseEncryptionKeys(a.replace('=', ''))[0]?.id, parseEncryptionKeys(a)[0]?.id, 'padding is a matter of taste')
})
