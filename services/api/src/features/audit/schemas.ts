import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Hash, LedgerPosition } from '#features/checkpoints/index.ts'
import { Failure } from '#features/jobs/index.ts'
import { typePatterns } from '#features/ledger/index.ts'
import type { ReadyJson } from '#platform/ready-json.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Text, Timestamp } from '#platform/wire.ts'
import { problemKinds } from './check-event.ts'

const Position = Type.Integer({ minimum: 1, maximum: 1_000_000_000_000_000 })

export const LedgerRangeFields = {
  from: Type.Optional({ ...Position, description: 'First position; the oldest that is kept if not given' }),
  to: Type.Optional({ ...Position, description: 'Last position; the newest if not given' }),
}

export const VerifyLedger = component(
  'VerifyLedger',
  Type.Object(
    {
      ...LedgerRangeFields,
      checkpoint: Type.Optional(
        Type.String({
          maxLength: 2_048,
          description: 'The jws of a checkpoint you kept; the ledger is held against it too',
        }),
      ),
    },
    { ...closed, examples: [{}] },
  ),
)
export type VerifyLedger = Static<typeof VerifyLedger>

/** Of what a job does for somebody who polls. */
export const PolledFields = {
  state: OneOf(['queued', 'completed', 'failed', 'cancelled'], {
    description:
      'failed: all attempts of its job have failed, see `failure`; run again by `jobs.retry` it may still be completed. cancelled: its job was cancelled',
  }),
  failure: Nullable(Failure),
}

const FirstProblem = Type.Object(
  {
    position: { ...Position, description: 'The first position that is not as it was recorded' },
    kind: OneOf(problemKinds),
    detail: Type.String({ maxLength: 500 }),
  },
  closed,
)

const VerifiedCheckpoint = Type.Object(
  { id: Id('cpt'), number: Position, sequence: LedgerPosition, signedAt: Timestamp },
  { ...closed, description: 'The newest signed checkpoint the ledger was found to agree with' },
)

export const Verification = component(
  'Verification',
  Type.Object(
    {
      id: Id('vrf'),
      ...PolledFields,
      verified: Nullable(Type.Boolean({ description: 'Everything is as it was recorded; null: not known yet' })),
      from: LedgerPosition,
      to: LedgerPosition,
      events: Nullable(
        Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Events before the first problem' }),
      ),
      head: Nullable(Type.Object({ sequence: LedgerPosition, hash: Hash }, closed)),
      checkpoint: Nullable(VerifiedCheckpoint),
      checkpoints: Nullable(LedgerPosition),
      firstProblem: Nullable(FirstProblem),
      createdAt: Timestamp,
      completedAt: Nullable(Timestamp),
    },
    closed,
  ),
)
export type Verification = Static<typeof Verification>

export const VerificationParams = Type.Object({ verificationId: Id('vrf') }, closed)

export const entryFilter = {
  actor: Type.Optional(Text(64, { description: 'Id of the principal who did it, or the name of a job' })),
  types: Type.Optional(
    Type.Array(OneOf(typePatterns), {
      maxItems: 50,
      description: 'Only these types: order.placed, or order.* for all of a resource; all of them if not given',
    }),
  ),
  resource: Type.Optional(Text(200, { description: 'Only what happened to the resource with this id' })),
  from: Type.Optional(Timestamp),
  to: Type.Optional(Timestamp),
}
export type EntryFilter = Static<TObject<typeof entryFilter>>

component(
  'AuditEntry',
  Type.Object(
    {
      event: Type.Ref('Event'),
      hash: Hash,
      previousHash: Nullable(Hash),
      personalDigest: Nullable(
        Type.String({
          pattern: '^[0-9a-f]{64}$',
          maxLength: 64,
          description: 'SHA-256 of salt and personal data, which stay when both are erased; null: there was none',
        }),
      ),
    },
    { ...closed, description: 'An event and what proves that it is as it was recorded' },
  ),
)
/** Answered byte by byte, so that the event in it is the one that every other reader gets. */
export const AuditEntry = Type.Unsafe<ReadyJson>(Type.Ref('AuditEntry'))
