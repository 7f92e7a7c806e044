import { randomBytes } from 'node:crypto'
import type { Encryption } from '#platform/encryption.ts'
import { newId } from '#platform/id.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import { timestamp } from '#platform/wire.ts'
import type { Work } from '#platform/work.ts'
import { lockKnown, writeEndpoint } from './endpoint.ts'
import { insertSecret, retireSecrets } from './repository.ts'
import type { NewWebhookSecret } from './schemas.ts'

const overlapMs = 24 * 3_600_000

/** Makes an endpoint's current secret: 32 random bytes, stored encrypted, returned this once. */
export async function issueSecret(work: Work, encryption: Encryption, endpointId: string): Promise<string> {
  const id = newId('whs')
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const { organizationId } = work.actor
  const ciphertext = encryption.encrypt(secret, { table: 'webhook_secrets', organizationId, id })
  await insertSecret(work, { id, endpoint_id: endpointId, ciphertext, created_at: work.now })
  return secret
}

/** A new secret signs from now on; for 24 h the one before signs as well, and one before that no more. */
export async function rotateSecret(
  work: Work,
  endpointId: string,
  expected: ExpectedVersion,
  encryption: Encryption,
): Promise<NewWebhookSecret> {
  const row = await lockKnown(work, endpointId, expected)
  const until = new Date(work.now.getTime() + overlapMs)
  await retireSecrets(work, endpointId, until)
  const secret = await issueSecret(work, encryption, endpointId)
  const endpoint = await writeEndpoint(work, 'webhook.endpointUpdated', row, ['secret'])
  return { ...endpoint, secret, previousSecretExpiresAt: timestamp(until) }
}
