import type pg from 'pg'
import { digestPersonal, eventHash, noHash } from '#platform/event-chain.ts'
import { type EventRow, eventOf } from '#platform/event-row.ts'

/** Follows every chain from its first event and says where rows, numbers, hashes or heads do not fit. */
export async function chainFaults(db: pg.Pool): Promise<readonly string[]> {
  const faults: string[] = []
  const { rows } = await db.query(
    `select l.*, e.id as event_id, e.sequence::int, encode(e.hash, 'hex') as hash,
       encode(e.personal_digest, 'hex') as digest
     from ledger l left join events e using (organization_id, id) order by organization_id, sequence`,
  )
  const heads = new Map<string, { sequence: number; hash: string }>()
  for (const row of rows) {
    const before = heads.get(row.organization_id) ?? { sequence: 0, hash: noHash }
    if (row.event_id === null) faults.push(`${row.id} has no event`)
    else if (row.sequence !== before.sequence + 1) faults.push(`${row.sequence} follows ${before.sequence}`)
    else if (row.hash !== hashOf(row, before.hash)) faults.push(`${row.id}, ${row.sequence}: another hash`)
    if (row.event_id !== null) heads.set(row.organization_id, row)
  }
  const stored = await db.query(
    `select organization_id, sequence::int, encode(hash, 'hex') as hash from event_heads order by 1`,
  )
  const expected = [...heads].map(([id, { sequence, hash }]) => `${id} ${sequence} ${hash}`).sort()
  const found = stored.rows.map((head) => `${head.organization_id} ${head.sequence} ${head.hash}`)
  if (found.join() !== expected.join()) faults.push('the heads are not the newest events')
  return faults
}

function hashOf(row: pg.QueryResultRow, previousHash: string): string {
  const personalDigest = row.personal === null ? null : digestPersonal(row.personal, row.personal_salt)
  if (personalDigest !== row.digest) return 'another digest'
  const event = eventOf(row as EventRow & { id: string }, row.sequence)
  return eventHash({ ...event, organizationId: row.organization_id, personalDigest, previousHash })
}
