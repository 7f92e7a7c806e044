import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { ExportRow } from './repository.ts'
import type { LedgerExport } from './schemas.ts'

export const presentExport = (row: ExportRow): LedgerExport => ({
  id: row.id,
  state: row.state as LedgerExport['state'],
  failure: row.failure as LedgerExport['failure'],
  from: row.first_sequence,
  to: row.last_sequence,
  events: row.events,
  bytes: row.bytes,
  createdAt: timestamp(row.created_at),
  completedAt: timestampOrNull(row.completed_at),
  expiresAt: timestampOrNull(row.expires_at),
})
