import type pg from 'pg'
import { newId } from '#platform/id.ts'

/** One row in each table of the audit, for looking at the tables themselves. */
export async function insertAuditRows(db: pg.Pool | pg.Client, organizationId: string): Promise<void> {
  const exportId = newId('exp')
  await db.query(
    `insert into ledger_checkpoints (organization_id, id, number, sequence, hash, key_id, jws, signed_at)
     values ($1, $2, 1, 0, sha256('x'), 'k', 'a.b.c', now())`,
    [organizationId, newId('cpt')],
  )
  await db.query(
    `insert into ledger_verifications (organization_id, id, state, first_sequence, last_sequence, created_at)
     values ($1, $2, 'queued', 1, 1, now())`,
    [organizationId, newId('vrf')],
  )
  await db.query(
    `insert into ledger_exports (organization_id, id, state, first_sequence, last_sequence, written_sequence, created_at)
     values ($1, $2, 'queued', 1, 1, 0, now())`,
    [organizationId, exportId],
  )
  await db.query(
    `insert into ledger_export_chunks (organization_id, export_id, number, content) values ($1, $2, 1, 'x')`,
    [organizationId, exportId],
  )
}
