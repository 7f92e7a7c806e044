import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto'

/** The row a ciphertext belongs to. It opens there and nowhere else. */
export interface RowIdentity {
  readonly table: string
  readonly organizationId: string
  readonly id: string
}

/** Encrypts secrets that must be read back, with AES-256-GCM. */
export interface Encryption {
  /** `<key id>.<base64url>`, with the first key. */
  encrypt(text: string, row: RowIdentity): string
  /** @throws DecryptionFailed when the key is gone, the row another one, or the text not as it was made. */
  decrypt(ciphertext: string, row: RowIdentity): string
  /** Begins every ciphertext of the first key; what begins otherwise is to be encrypted anew. */
  readonly currentPrefix: string
}

/** Always a defect or a lost key: nothing a client sends leads here. */
export class DecryptionFailed extends Error {
  override readonly name = 'DecryptionFailed'
}

const algorithm = 'aes-256-gcm'
const keyLength = 32
const nonceLength = 12
const tagLength = 16

/** `keys` as in ENCRYPTION_KEY: the first encrypts, all of them decrypt. */
export function createEncryption(keys: string): Encryption {
  const [first, ...others] = parseEncryptionKeys(keys)
  if (first === undefined) throw new Error('no encryption key')
  const byId = new Map([first, ...others].map(({ id, key }) => [id, key]))
  return {
    currentPrefix: `${first.id}.`,
    encrypt(text, row) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, first.key, nonce).setAAD(additionalData(first.id, row))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `${first.id}.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')}`
    },
    decrypt(ciphertext, row) {
      const id = ciphertext.slice(0, Math.max(0, ciphertext.indexOf('.')))
      const key = byId.get(id)
      if (key === undefined) throw new DecryptionFailed(`no key of ENCRYPTION_KEY opens ${placeOf(row)}`)
      return open(key, ciphertext.slice(id.length + 1), row, id)
    },
  }
}

function open(key: KeyObject, encoded: string, row: RowIdentity, keyId: string): string {
  const bytes = Buffer.from(encoded, 'base64url')
  try {
    // Node skips what is no base64: a text that was changed must not open all the same.
    if (bytes.toString('base64url') !== encoded) throw new Error('not in its own encoding')
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceLength), { authTagLength: tagLength })
    decipher
      .setAAD(additionalData(keyId, row))
      .setAuthTag(bytes.subarray(Math.max(nonceLength, bytes.length - tagLength)))
    const body = bytes.subarray(nonceLength, bytes.length - tagLength)
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new DecryptionFailed(`the ciphertext of ${placeOf(row)} was changed, or is another row's`, { cause })
  }
}

const placeOf = ({ table, id }: RowIdentity): string => `${table} ${id}`

/** JSON keeps the parts apart whatever is in them. */
const additionalData = (keyId: string, { table, organizationId, id }: RowIdentity): Buffer =>
  Buffer.from(JSON.stringify([keyId, table, organizationId, id]))

export interface EncryptionKey {
  /** Follows from the key, so nobody has to number keys. */
  readonly id: string
  readonly key: KeyObject
}

/**
 * Keys of 32 bytes in base64, separated by commas.
 * @throws Error saying what is wrong, without the key.
 */
export function parseEncryptionKeys(text: string): readonly EncryptionKey[] {
  const keys = text.split(',').map((encoded, index) => {
    const trimmed = encoded.trim()
    const bytes = Buffer.from(trimmed, 'base64')
    const isExact = bytes.toString('base64').replace(/=+$/, '') === trimmed.replace(/=+$/, '')
    if (bytes.length !== keyLength || !isExact) throw new Error(`key ${index + 1} must be 32 bytes in base64`)
    const id = hash('sha256', `purser key id ${bytes.toString('base64')}`, 'hex').slice(0, 8)
    // Node takes five times as long with the bytes themselves.
    return { id, key: createSecretKey(bytes) }
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('the same key is listed twice')
  return keys
}
