import type { DirectConnection } from '../direct-connection.ts'
import type { Logger } from '../logger.ts'
import { asRelay, silence } from './state.ts'

const lock = [730_945, 1] as const

/** A leader beats every second; one that has not for this long is frozen or cut off, whatever its connection says. */
const silenceLimitMs = 3_500

/**
 * Takes the lock of the session that makes this connection the relay's leader, or answers false. The lock of a leader
 * that went silent is broken by ending its connection, and with it whatever it had under way.
 */
export async function tryToLead(connection: DirectConnection, log: Logger): Promise<boolean> {
  if (await takeLock(connection)) return true
  const silentMs = await asRelay(connection, silence)
  if (silentMs === null || silentMs < silenceLimitMs) return false
  const ended = await connection.query<{ pid: number }>(endHolderText, lock)
  if (ended.length === 0) return false
  log.warn({ silentMs: Math.round(silentMs), pid: ended[0]?.pid }, 'relay: ended the connection of a silent leader')
  return takeLock(connection)
}

async function takeLock(connection: DirectConnection): Promise<boolean> {
  const [row] = await connection.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', lock)
  return row?.taken === true
}

// One that is at work in PostgreSQL is not frozen, unless it works for a client that does not read.
const endHolderText = `select l.pid, pg_terminate_backend(l.pid, 1000)
  from pg_locks l left join pg_stat_activity a using (pid)
  where l.locktype = 'advisory' and l.classid = $1 and l.objid = $2 and l.objsubid = 2 and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
    and (a.state is distinct from 'active' or a.wait_event_type = 'Client')`
