import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { selectExtent, selectPlace, selectStoredEvents } from '#features/audit/index.ts'
import { selectCheckpointUpTo } from '#features/checkpoints/index.ts'
import { timestamp } from '#platform/wire.ts'
import type { Work } from '#platform/work.ts'
import { type ExportHeader, eventLine, headerLine } from './lines.ts'
import { presentExport } from './present.ts'
import { type ExportRow, insertChunk, lockExport, updateExport } from './repository.ts'

/** Few enough that even the largest orders fit into memory, whatever the length of the ledger. */
const eventsPerChunk = 250

const pack = promisify(gzip)

/** Writes the next chunk of an export, each in a transaction of its own; true when there is nothing left to write. */
export async function writeChunk(work: Work, exportId: string, retentionDays: number): Promise<boolean> {
  const row = await lockExport(work, exportId)
  if (row === undefined || row.state === 'completed' || row.state === 'cancelled') return true
  const events = await selectStoredEvents(work, row.written_sequence, row.last_sequence, eventsPerChunk)
  const lines = events.map(eventLine)
  if (row.chunks === 0) lines.unshift(headerLine(await headerOf(work, row)))
  const text = Buffer.from(lines.join(''))
  const number = row.chunks + 1
  if (text.length > 0) await insertChunk(work, exportId, number, await pack(text))
  const written = events.at(-1)?.sequence ?? row.last_sequence
  const isComplete = written >= row.last_sequence
  const change = {
    written_sequence: written,
    chunks: text.length > 0 ? number : row.chunks,
    events: row.events + events.length,
    bytes: row.bytes + text.length,
    ...(isComplete
      ? { state: 'completed', failure: null, completed_at: work.now, expires_at: daysAfter(work.now, retentionDays) }
      : {}),
  }
  const after = await updateExport(work, exportId, change)
  if (isComplete) recordCompletion(work, after)
  return isComplete
}

async function headerOf(work: Work, row: ExportRow): Promise<ExportHeader> {
  const { first_sequence: from, last_sequence: to, created_at } = row
  const [{ floor, head, lastCheckpoint }, before] = await Promise.all([selectExtent(work), selectPlace(work, from - 1)])
  // A checkpoint ahead of the head proves that the end is gone: the export must not hide that.
  const checkpoint = await selectCheckpointUpTo(work, lastCheckpoint > head.sequence ? lastCheckpoint : to)
  const isCovered = checkpoint !== undefined && checkpoint.sequence >= from - 1
  return {
    organizationId: work.actor.organizationId,
    from,
    to,
    previousHash: before?.hash ?? floor.hash,
    checkpoint: isCovered ? checkpoint.jws : null,
    createdAt: timestamp(created_at),
  }
}

function recordCompletion(work: Work, row: ExportRow): void {
  const data = presentExport(row)
  work.record({ type: 'export.completed', resource: { type: 'ledgerExport', id: row.id, version: 1 }, data })
}

export const daysAfter = (time: Date, days: number): Date => new Date(time.getTime() + days * 86_400_000)
