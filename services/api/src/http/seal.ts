import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts and decrypts the stored answer of a confidential command. */
export interface Seal {
  close(data: string): string
  open(sealed: string): string
}

export const noSeal: Seal = { close: (data) => data, open: (data) => data }

const algorithm = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16

/** AES-256-GCM under a key derived from the service's secret and the Idempotency-Key that asks for the answer. */
export function createSeal(secret: string, idempotencyKey: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, idempotencyKey, 'purser answer', 32))
  return {
    close(data) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, key, nonce)
      const body = Buffer.concat([cipher.update(data, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64')
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceLength))
      decipher.setAuthTag(bytes.subarray(nonceLength, nonceLength + tagLength))
      return Buffer.concat([decipher.update(bytes.subarray(nonceLength + tagLength)), decipher.final()]).toString(
        'utf8',
      )
    },
  }
}
