import { rangeOf, requireWholeLedger, selectExtent } from '#features/audit/index.ts'
import { newId } from '#platform/id.ts'
import type { Job } from '#platform/jobs.ts'
import type { Work } from '#platform/work.ts'
import { presentExport } from './present.ts'
import { insertExport } from './repository.ts'
import type { ExportLedger, LedgerExport } from './schemas.ts'

export interface ExportPayload {
  readonly organizationId: string
  readonly exportId: string
}

/** Asks for an export of a range of the ledger; `writing` does it. */
export async function createExport(
  work: Work,
  input: ExportLedger,
  writing: Job<ExportPayload>,
): Promise<LedgerExport> {
  requireWholeLedger(work.actor)
  const { from, to } = rangeOf(input, await selectExtent(work))
  const row = {
    id: newId('exp'),
    state: 'queued',
    first_sequence: from,
    last_sequence: to,
    written_sequence: from - 1,
    chunks: 0,
    events: 0,
    bytes: 0,
    failure: null,
    created_at: work.now,
    completed_at: null,
    expires_at: null,
  }
  await insertExport(work, row)
  await work.enqueue(writing, { organizationId: work.actor.organizationId, exportId: row.id })
  return presentExport(row)
}
