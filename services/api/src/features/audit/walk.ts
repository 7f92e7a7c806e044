import { type CheckpointRow, checkCheckpoint, type SignedCheckpoint } from '#features/checkpoints/index.ts'
import type { LedgerKeys } from '#platform/ledger-keys.ts'
import { timestamp } from '#platform/wire.ts'
import { checkEvent, type Finding, type Link, type StoredEvent } from './check-event.ts'

/** How far a verification has come along the chain, and what it holds the chain against. */
export interface Walk {
  readonly organizationId: string
  readonly keys: LedgerKeys
  /** The first position of the range. */
  readonly from: number
  /** A checkpoint that the caller kept elsewhere. */
  readonly kept: SignedCheckpoint | null
  place: Link
  /** The last checkpoint that was looked at. */
  before: CheckpointRow | null
  /** The newest one that holds. */
  newest: HeldCheckpoint | null
  checkpoints: number
}

export type HeldCheckpoint = Pick<SignedCheckpoint, 'id' | 'number' | 'sequence' | 'signedAt'>

/** One batch of events, the checkpoints of their positions, and which of those recorded among them are there. */
export interface Stage {
  readonly events: readonly StoredEvent[]
  readonly due: readonly CheckpointRow[]
  readonly present: ReadonlySet<string>
}

/** Goes on through a batch, as far as everything is as it was recorded. */
export function goThrough(walk: Walk, { events, due, present }: Stage): Finding | null {
  const bySequence = Map.groupBy(due, ({ sequence }) => sequence)
  for (const event of events) {
    const finding = checkEvent(event, walk.place, walk.organizationId) ?? missingCheckpoint(walk, event, present)
    if (finding !== null) return finding
    walk.place = { sequence: event.sequence, hash: event.hash.toString('hex') }
    const problem = checkHere(walk, bySequence.get(event.sequence) ?? [])
    if (problem !== null) return problem
  }
  return null
}

/** Holds the stored checkpoints of the present place, and the one that was kept, against its hash. */
export function checkHere(walk: Walk, rows: readonly CheckpointRow[]): Finding | null {
  for (const row of rows) {
    const finding = checkStored(walk, row) ?? compare(walk, signedPart(row))
    if (finding !== null) return finding
  }
  return walk.kept?.sequence === walk.place.sequence ? compare(walk, walk.kept) : null
}

const signedPart = (row: CheckpointRow) => ({
  ...row,
  hash: row.hash.toString('hex'),
  signedAt: timestamp(row.signed_at),
})

function checkStored(walk: Walk, row: CheckpointRow): Finding | null {
  // The first of a range that begins later is held against its own signature alone.
  const isFirst = walk.before === row
  const problem = checkCheckpoint(row, isFirst ? undefined : walk.before, walk.keys, walk.organizationId)
  walk.before = row
  if (problem === null) return null
  const kind = problem.isMissing ? 'checkpointMissing' : 'checkpointInvalid'
  return { position: Math.max(row.sequence, walk.from), kind, detail: problem.detail }
}

function compare(walk: Walk, signed: HeldCheckpoint & { readonly hash: string }): Finding | null {
  const { id, number, sequence, signedAt, hash } = signed
  if (hash === walk.place.hash) {
    walk.newest = { id, number, sequence, signedAt }
    walk.checkpoints += 1
    return null
  }
  const since = walk.newest === null ? walk.from : walk.newest.sequence + 1
  const where = since >= sequence ? `position ${sequence}` : `one of the positions ${since} to ${sequence}`
  const detail = `checkpoint ${number} of ${signedAt} has another hash: ${where} was changed and chained anew`
  return { position: Math.max(sequence, walk.from), kind: 'checkpointDiffers', detail }
}

/** A checkpoint is an event too: where the event is, the checkpoint must be. */
function missingCheckpoint(walk: Walk, { content }: StoredEvent, present: ReadonlySet<string>): Finding | null {
  if (content === null || !isCheckpoint(content) || present.has(content.resource_id)) return null
  const { number, sequence } = content.data as SignedCheckpoint
  const position = Math.max(sequence, walk.from)
  return { position, kind: 'checkpointMissing', detail: `checkpoint ${number} is missing` }
}

export const isCheckpoint = ({ type }: { readonly type: string }): boolean => type === 'checkpoint.signed'
