import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { canonicalJson } from './canonical-json.ts'
import type { Config } from './config.ts'

/** The keys that sign and verify checkpoints of the ledger. */
export interface LedgerKeys {
  readonly keyId: string
  /** A compact JWS (RFC 7515, EdDSA) over the canonical form of `payload`. */
  sign(payload: object): string
  /** What was signed; null unless one of our keys signed it. */
  open(jws: string): Readonly<Record<string, unknown>> | null
  /** The public keys, present and previous, as a JSON Web Key Set (RFC 7517). */
  readonly published: { readonly keys: readonly PublishedKey[] }
}

export interface PublishedKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

type KeySettings = Pick<Config, 'LEDGER_SIGNING_KEY' | 'LEDGER_PREVIOUS_PUBLIC_KEYS' | 'DATA_DIR'>

const known = new WeakMap<KeySettings, LedgerKeys>()

/** The keys of a configuration. In development, without a configured one, a key is made once and kept in DATA_DIR. */
export function ledgerKeys(config: KeySettings): LedgerKeys {
  const keys = known.get(config) ?? createLedgerKeys(config)
  known.set(config, keys)
  return keys
}

const type = 'purser-checkpoint'

function createLedgerKeys(config: KeySettings): LedgerKeys {
  const privateKey = parsePrivateKey(config.LEDGER_SIGNING_KEY || keptKey(config.DATA_DIR))
  const present = createPublicKey(privateKey)
  const published = [present, ...previousPublicKeys(config.LEDGER_PREVIOUS_PUBLIC_KEYS)].map(publish)
  const byId = new Map(published.map((key) => [key.kid, createPublicKey({ key: { ...key }, format: 'jwk' })]))
  const { kid } = publish(present)
  const head = encode({ alg: 'EdDSA', kid, typ: type })
  return {
    keyId: kid,
    published: { keys: [...new Map(published.map((key) => [key.kid, key])).values()] },
    sign(payload) {
      const content = `${head}.${encode(payload)}`
      return `${content}.${sign(null, Buffer.from(content), privateKey).toString('base64url')}`
    },
    open(jws) {
      const [header = '', payload = '', signature = ''] = jws.split('.')
      const { alg, kid: signer, typ } = decode(header) ?? {}
      const key = byId.get(String(signer))
      if (key === undefined || alg !== 'EdDSA' || typ !== type) return null
      const content = `${header}.${payload}`
      // Compared as text too: base64url has spellings of the same bytes that other readers refuse.
      if (jws !== `${content}.${Buffer.from(signature, 'base64url').toString('base64url')}`) return null
      return verify(null, Buffer.from(content), key, Buffer.from(signature, 'base64url')) ? decode(payload) : null
    },
  }
}

const encode = (value: object): string => Buffer.from(canonicalJson(value)).toString('base64url')

function decode(part: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function publish(key: KeyObject): PublishedKey {
  const { x = '' } = key.export({ format: 'jwk' })
  const members = { crv: 'Ed25519', kty: 'OKP', x } as const
  // The thumbprint of RFC 7638: whoever has the key alone can tell its id.
  return { ...members, kid: hash('sha256', canonicalJson(members), 'base64url'), alg: 'EdDSA', use: 'sig' }
}

/** What PKCS8 writes before the 32 bytes of an Ed25519 key (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Reads an Ed25519 key: PKCS8 in PEM (line breaks may be written \\n), or its seed of 32 bytes in base64.
 * @throws Error saying what is wrong, without the key.
 */
export function parsePrivateKey(text: string): KeyObject {
  if (text.includes('-----BEGIN')) return parsePem(text.replaceAll('\\n', '\n'))
  const seed = Buffer.from(text, 'base64')
  if (seed.length !== 32) throw new Error('neither PKCS8 PEM nor a base64 seed of 32 bytes')
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
}

function parsePem(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // What OpenSSL says of it helps nobody.
  }
  throw new Error('not an Ed25519 key in PKCS8 PEM')
}

/**
 * Reads the `x` members of earlier entries of jwks.json, separated by commas.
 * @throws Error naming the entry that is none.
 */
export function previousPublicKeys(text: string): KeyObject[] {
  const values = text.split(',').map((value) => value.trim())
  return values
    .filter((value) => value !== '')
    .map((x, index) => {
      try {
        return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      } catch (cause) {
        throw new Error(`key ${index + 1} is no x of an Ed25519 key`, { cause })
      }
    })
}

/** The key kept in the data folder. Server and worker may both come first: only one file is linked into place. */
function keptKey(folder: string): string {
  const file = path.join(folder, 'ledger-signing-key.pem')
  const draft = `${file}.${process.pid}`
  try {
    return readFileSync(file, 'utf8')
  } catch {
    mkdirSync(folder, { recursive: true })
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  }
  try {
    linkSync(draft, file)
  } catch {
    // The other process was first: its key is the one.
  }
  rmSync(draft, { force: true })
  return readFileSync(file, 'utf8')
}
