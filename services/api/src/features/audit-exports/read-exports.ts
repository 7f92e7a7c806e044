import { requireWholeLedger } from '#features/audit/index.ts'
import type { TenantWork, View } from '#platform/work.ts'
import { presentExport } from './present.ts'
import { ExportFailed, ExportNotFound, ExportNotReady } from './problems.ts'
import { type ExportRow, selectChunk, selectExport } from './repository.ts'
import type { LedgerExport } from './schemas.ts'

export const getExport = async (view: View, exportId: string): Promise<LedgerExport> =>
  presentExport(await foundExport(view, exportId))

async function foundExport(view: View, exportId: string): Promise<ExportRow> {
  requireWholeLedger(view.actor)
  const row = await selectExport(view, exportId)
  if (!row) throw new ExportNotFound()
  return row
}

/** The content of a finished export, chunk by chunk, each read when the one before has been sent. */
export async function readExport(read: TenantWork['read'], exportId: string): Promise<AsyncIterable<Buffer>> {
  const { state, chunks } = await read((view) => foundExport(view, exportId))
  if (state === 'queued') throw new ExportNotReady()
  if (state !== 'completed') throw new ExportFailed({ detail: `The export has the state ${state}` })
  return contentOf(read, exportId, chunks)
}

async function* contentOf(read: TenantWork['read'], exportId: string, chunks: number): AsyncGenerator<Buffer> {
  for (let number = 1; number <= chunks; number++) {
    const chunk = await read((view) => selectChunk(view, exportId, number))
    if (chunk === undefined) throw new Error(`chunk ${number} of ${exportId} is gone: its time was over`)
    yield chunk
  }
}
