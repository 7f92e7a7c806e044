import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Selectable, Updateable } from 'kysely'
import { unended } from '#features/audit/index.ts'
import { runSql } from '#platform/database.ts'
import type { JobEnd } from '#platform/jobs.ts'
import type { LedgerExports } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type ExportRow = Omit<Selectable<LedgerExports>, 'organization_id'>

const columns = [
  ...(['id', 'state', 'first_sequence', 'last_sequence', 'written_sequence', 'chunks', 'events', 'bytes'] as const),
  ...(['failure', 'created_at', 'completed_at', 'expires_at'] as const),
] as const

export const insertExport = (work: Work, row: ExportRow): Promise<unknown> =>
  work.db.insertInto('ledger_exports').values(row).execute()

export const selectExport = (view: View, id: string): Promise<ExportRow | undefined> =>
  view.db.selectFrom('ledger_exports').select(columns).where('id', '=', id).executeTakeFirst()

export const lockExport = (work: Work, id: string): Promise<ExportRow | undefined> =>
  work.db.selectFrom('ledger_exports').select(columns).where('id', '=', id).forUpdate().executeTakeFirst()

export const updateExport = (work: Work, id: string, change: Updateable<LedgerExports>): Promise<ExportRow> =>
  work.db.updateTable('ledger_exports').set(change).where('id', '=', id).returning(columns).executeTakeFirstOrThrow()

/** Lets one that has failed wait again. */
export const resumeExport = (work: Work, id: string): Promise<unknown> =>
  work.db
    .updateTable('ledger_exports')
    .set({ state: 'queued', failure: null, expires_at: null })
    .where('id', '=', id)
    .where('state', '=', 'failed')
    .execute()

/** What was written of it goes when its time is over. */
export const giveUpExport = (work: Work, id: string, { state, failure }: JobEnd, expiresAt: Date): Promise<unknown> =>
  work.db
    .updateTable('ledger_exports')
    .set({ state, failure: failure && JSON.stringify(failure), expires_at: expiresAt })
    .where('id', '=', id)
    .where('state', 'in', unended)
    .execute()

export const insertChunk = (work: Work, exportId: string, number: number, content: Buffer): Promise<unknown> =>
  work.db.insertInto('ledger_export_chunks').values({ export_id: exportId, number, content }).execute()

const unpack = promisify(gunzip)

/** A chunk as text in UTF-8; undefined behind the last one. */
export async function selectChunk(view: View, exportId: string, number: number): Promise<Buffer | undefined> {
  const row = await view.db
    .selectFrom('ledger_export_chunks')
    .select('content')
    .where('export_id', '=', exportId)
    .where('number', '=', number)
    .executeTakeFirst()
  return row && unpack(row.content)
}

/** Deletes exports whose time is over, with their chunks, a few at a time; returns how many. */
export async function deleteExpiredExports(db: Work['db'], now: Date, limit: number): Promise<number> {
  return (await runSql(db, expiredText, [now, limit])).length
}

const expiredText = `delete from ledger_exports where ctid = any(array(
    select ctid from ledger_exports where expires_at <= $1 order by expires_at limit $2
  )) returning id`
