import { type Static, Type } from '@sinclair/typebox'
import { LedgerRangeFields, PolledFields } from '#features/audit/index.ts'
import { LedgerPosition } from '#features/checkpoints/index.ts'
import { component, Nullable } from '#platform/schema.ts'
import { closed, Id, Timestamp } from '#platform/wire.ts'

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const ExportLedger = component(
  'ExportLedger',
  Type.Object(LedgerRangeFields, { ...closed, examples: [{}], description: 'All there is if nothing is given' }),
)
export type ExportLedger = Static<typeof ExportLedger>

export const LedgerExport = component(
  'LedgerExport',
  Type.Object(
    {
      id: Id('exp'),
      ...PolledFields,
      from: LedgerPosition,
      to: LedgerPosition,
      events: { ...Count, description: 'Events written so far' },
      bytes: { ...Count, description: 'Length of the content so far' },
      createdAt: Timestamp,
      completedAt: Nullable(Timestamp),
      expiresAt: Nullable(Timestamp),
    },
    closed,
  ),
)
export type LedgerExport = Static<typeof LedgerExport>

export const ExportParams = Type.Object({ exportId: Id('exp') }, closed)
