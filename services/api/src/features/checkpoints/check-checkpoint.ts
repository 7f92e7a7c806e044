import type { LedgerKeys } from '#platform/ledger-keys.ts'
import { presentCheckpoint } from './present.ts'
import type { CheckpointRow } from './repository.ts'
import { digestOf } from './sign-checkpoint.ts'

/** What a checkpoint says under its signature. */
export interface SignedCheckpoint {
  readonly organizationId: string
  readonly id: string
  readonly number: number
  readonly sequence: number
  readonly hash: string
  readonly previous: string | null
  readonly signedAt: string
}

type Before = Pick<CheckpointRow, 'number' | 'jws'> | null

/**
 * What is wrong with a stored checkpoint, of itself and after the one before it; null: nothing. What it follows is not
 * looked at when `before` is undefined.
 */
export function checkCheckpoint(
  row: CheckpointRow,
  before: Before | undefined,
  keys: LedgerKeys,
  organizationId: string,
): { readonly isMissing: boolean; readonly detail: string } | null {
  const signed = keys.open(row.jws) as SignedCheckpoint | null
  if (signed === null) return { isMissing: false, detail: `checkpoint ${row.number} was signed by none of our keys` }
  const { keyId: _keyId, jws: _jws, version: _version, ...shown } = presentCheckpoint(row)
  const differs = Object.entries({ ...shown, organizationId }).some(
    ([name, value]) => signed[name as keyof SignedCheckpoint] !== value,
  )
  if (differs) return { isMissing: false, detail: `checkpoint ${row.number} is not what was signed` }
  if (before === undefined) return null
  if (row.number !== (before?.number ?? 0) + 1)
    return { isMissing: true, detail: `a checkpoint before number ${row.number} is missing` }
  const follows = signed.previous === (before === null ? null : digestOf(before.jws))
  return follows ? null : { isMissing: false, detail: `checkpoint ${row.number} does not follow the one before it` }
}

/** What a checkpoint says that somebody kept; null unless we signed it for this organization. */
export function openKept(jws: string, keys: LedgerKeys, organizationId: string): SignedCheckpoint | null {
  const signed = keys.open(jws) as SignedCheckpoint | null
  return signed?.organizationId === organizationId ? signed : null
}
