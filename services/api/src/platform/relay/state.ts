import { inTransaction, runSql, type Transaction } from '../database.ts'
import type { DirectConnection } from '../direct-connection.ts'
import type { Position } from './rows.ts'

/** Where the next batch begins. Also a beat: a relay that works is alive. */
export const movePosition = (db: Transaction, { xid, id }: Position): Promise<unknown> =>
  runSql(
    db,
    'update relay_state set position_xid = $1::xid8, position_id = $2, beat_at = clock_timestamp(), behind_since = null',
    [xid, id],
  )

/** Says who leads and that it is alive, and since when the oldest row waits; answers for how long, in ms. */
export async function beat(db: Transaction, leader: string): Promise<number> {
  const [row] = await runSql<{ behind_ms: number }>(db, beatText, [leader])
  return row?.behind_ms ?? 0
}

// A restored row may bear a transaction id that this cluster has not reached: it has an event and waits for nothing.
const beatText = `update relay_state set leader = $1, beat_at = clock_timestamp(), behind_since = (
    select id_time(id) from ledger
    where (xid, id) > (position_xid, position_id) and xid < pg_snapshot_xmax(pg_current_snapshot())
    order by xid, id limit 1
  )
  returning coalesce(extract(epoch from clock_timestamp() - behind_since) * 1000, 0)::float8 as behind_ms`

/** For how long the leader has not been heard of, in ms; null when there never was one. */
export async function silence(db: Transaction): Promise<number | null> {
  const [row] = await runSql<{ silent_ms: number | null }>(
    db,
    'select (extract(epoch from clock_timestamp() - beat_at) * 1000)::float8 as silent_ms from relay_state',
  )
  return row?.silent_ms ?? null
}

/** The cluster this database is in, and the one whose transaction ids the position counts in. */
export async function readClusters(db: Transaction) {
  const [row] = await runSql<{ here: string; known: string | null }>(
    db,
    'select c.system_identifier::text as here, s.system_identifier as known from pg_control_system() c, relay_state s',
  )
  if (row === undefined) throw new Error('relay_state has lost its row')
  return row
}

/** Waits until every row of the ledger belongs to a transaction that has ended; the oldest that has not by then. */
export async function oldestWriter(db: Transaction): Promise<string> {
  await runSql(db, 'select hold_ledger_writers()')
  const [row] = await runSql<{ xid: string }>(db, 'select pg_snapshot_xmin(pg_current_snapshot())::text as xid')
  if (row === undefined) throw new Error('no snapshot')
  return row.xid
}

/** From now on the position counts in this cluster's transaction ids. */
export const adoptCluster = (db: Transaction, identifier: string, xid: string): Promise<unknown> =>
  runSql(db, `update relay_state set system_identifier = $1, position_xid = $2::xid8, position_id = ''`, [
    identifier,
    xid,
  ])

/** One short transaction as purser_relay. */
export const asRelay = <T>(connection: DirectConnection, run: (db: Transaction) => Promise<T>): Promise<T> =>
  inTransaction(connection.begin({ role: 'relay' }), run)
