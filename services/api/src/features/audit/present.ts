import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { VerificationRow } from './repository.ts'
import type { Verification } from './schemas.ts'

export function presentVerification(row: VerificationRow): Verification {
  const { outcome } = row
  return {
    id: row.id,
    state: row.state as Verification['state'],
    failure: row.failure as Verification['failure'],
    verified: outcome?.verified ?? null,
    from: outcome?.from ?? row.first_sequence,
    to: row.last_sequence,
    events: outcome?.events ?? null,
    head: outcome?.head ?? null,
    checkpoint: outcome?.checkpoint ?? null,
    checkpoints: outcome?.checkpoints ?? null,
    firstProblem: outcome?.firstProblem ?? null,
    createdAt: timestamp(row.created_at),
    completedAt: timestampOrNull(row.completed_at),
  }
}
