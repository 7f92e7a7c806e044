import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/** Waits until `condition` holds; throws when it does not within the time. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 15_000) {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${timeoutMs} ms have passed, and not yet: ${what}`)
    await sleep(10)
  }
}

/** Waits until some session of this database waits for a lock. */
export const untilBlocked = (db: pg.Pool): Promise<void> =>
  until('a session waits for a lock', async () => {
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    return ((await db.query(waiting)).rowCount ?? 0) > 0
  })
