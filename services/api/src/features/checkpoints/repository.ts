import type { Selectable } from 'kysely'
import { runSql } from '#platform/database.ts'
import { RunAgain, violates } from '#platform/database-errors.ts'
import { type PageRequest, selectPage } from '#platform/page.ts'
import type { LedgerCheckpoints } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'

export type CheckpointRow = Omit<Selectable<LedgerCheckpoints>, 'organization_id'>

type Reading = Pick<View, 'db'>

const columns = ['id', 'number', 'sequence', 'hash', 'key_id', 'jws', 'signed_at'] as const

const select = (view: Reading) => view.db.selectFrom('ledger_checkpoints').select(columns)

/** @throws RunAgain when somebody else has just taken the number. */
export async function insertCheckpoint(work: Work, row: CheckpointRow): Promise<void> {
  try {
    await work.db.insertInto('ledger_checkpoints').values(row).execute()
  } catch (error) {
    throw violates(error, 'ledger_checkpoints_number') ? new RunAgain('the number is taken', { cause: error }) : error
  }
}

export const selectCheckpoint = (view: View, id: string): Promise<CheckpointRow | undefined> =>
  select(view).where('id', '=', id).executeTakeFirst()

export const selectNewestCheckpoint = (view: Reading): Promise<CheckpointRow | undefined> =>
  select(view).orderBy('number', 'desc').limit(1).executeTakeFirst()

/** Newest first. */
export const selectCheckpoints = (view: View, page: PageRequest): Promise<CheckpointRow[]> =>
  selectPage(select(view), { columns: ['number'], order: 'desc' }, page).execute()

/** The last one that was signed of a position up to this one. */
export const selectCheckpointUpTo = (view: Reading, sequence: number): Promise<CheckpointRow | undefined> =>
  select(view)
    .where('sequence', '<=', sequence)
    .orderBy('sequence', 'desc')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Those of positions after one and up to another, in the order of both. */
export const selectCheckpointsWithin = (view: Reading, after: number, upTo: number): Promise<CheckpointRow[]> =>
  select(view)
    .where('sequence', '>', after)
    .where('sequence', '<=', upTo)
    .orderBy('sequence')
    .orderBy('number')
    .execute()

/** Which of these ids there are. */
export async function selectPresentCheckpoints(view: Reading, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await view.db.selectFrom('ledger_checkpoints').select('id').where('id', 'in', ids).execute()
  return new Set(rows.map(({ id }) => id))
}

/** The newest event of the organization; undefined before the first one is numbered. */
export const selectHead = (work: Work) =>
  work.db.selectFrom('event_heads').select(['sequence', 'hash']).executeTakeFirst()

/**
 * Organizations whose head is not where their newest checkpoint left it. A checkpoint is an event too: that one alone
 * calls for no other.
 */
export async function selectMovedOrganizations(db: Work['db']): Promise<readonly string[]> {
  const rows = await runSql<{ organization_id: string }>(db, movedText)
  return rows.map(({ organization_id }) => organization_id)
}

const movedText = `select h.organization_id
  from event_heads h left join lateral (
    select sequence from ledger_checkpoints c where c.organization_id = h.organization_id order by sequence desc limit 1
  ) c on true
  where c.sequence is null or h.sequence not between c.sequence and c.sequence + 1
  order by 1`
