import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

export type KeyMode = 'live' | 'test'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretLength = 40 // 238 bits
const checksumLength = 6
const shape = /^sk_(live|test)_([0-9A-Za-z]{40})([0-9A-Za-z]{6})$/

export interface NewSecret {
  /** The whole key, shown once and never stored. */
  readonly secret: string
  readonly secretHash: string
  /** What may be shown later to recognise the key. */
  readonly hint: string
}

/** `sk_live_` or `sk_test_`, 40 random characters and a checksum that lets typing errors be refused without a look-up. */
export function newSecret(mode: KeyMode): NewSecret {
  const random = Array.from({ length: secretLength }, () => alphabet[randomInt(alphabet.length)]).join('')
  const body = `sk_${mode}_${random}`
  const secret = body + checksum(body)
  return { secret, secretHash: hashSecret(secret), hint: `sk_${mode}_…${secret.slice(-4)}` }
}

/** The hash a presented key is found by; null when it cannot be a key of ours. */
export function hashOfPresented(presented: string): string | null {
  const match = shape.exec(presented)
  if (!match) return null
  const body = presented.slice(0, -checksumLength)
  return checksum(body) === match[3] ? hashSecret(presented) : null
}

const hashSecret = (secret: string): string => hash('sha256', secret, 'hex')

function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let index = 0; index < checksumLength; index++) {
    text = alphabet.charAt(rest % alphabet.length) + text
    rest = Math.floor(rest / alphabet.length)
  }
  return text
}
