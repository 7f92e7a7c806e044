import { timestamp } from '#platform/wire.ts'
import type { CheckpointRow } from './repository.ts'
import type { Checkpoint } from './schemas.ts'

export const presentCheckpoint = (row: CheckpointRow): Checkpoint => ({
  id: row.id,
  number: row.number,
  sequence: row.sequence,
  hash: row.hash.toString('hex'),
  keyId: row.key_id,
  jws: row.jws,
  signedAt: timestamp(row.signed_at),
  version: 1,
})
