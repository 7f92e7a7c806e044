import { Type } from '@sinclair/typebox'
import { runSql, type Transaction } from './database.ts'
import { defineJob } from './jobs.ts'

const monthsAhead = 3
const dayMs = 86_400_000

/** Makes the partitions of the coming months and drops those that are past their time, whole months at once. */
export const keepEventPartitions = defineJob({
  name: 'events.keepPartitions',
  payload: Type.Object({}),
  schedule: '23 2 * * *',
  async run({ sweep, config, now, log }) {
    await sweep((db) => ensurePartitions(db))
    const before = new Date(now.getTime() - config.EVENT_RETENTION_DAYS * dayMs)
    const dropped = await sweep((db) => dropPartitions(db, before))
    log.info({ before, dropped }, 'partitions of events kept')
  },
})

async function ensurePartitions(db: Transaction): Promise<void> {
  for (const parent of ['ledger', 'events'])
    await runSql(db, `select ensure_time_partitions($1, 'evt', $2)`, [parent, monthsAhead])
}

/** The floor of every organization rises in the same transaction: a reader below it is told, and never skips a hole. */
async function dropPartitions(db: Transaction, before: Date): Promise<readonly string[]> {
  const [waiting] = await runSql(db, waitingText, [before])
  if (waiting) throw new Error('rows past their time to keep have not been numbered: they are not dropped')
  await runSql(db, floorText, [before])
  const dropped: string[] = []
  for (const parent of ['ledger', 'events']) {
    const [row] = await runSql<{ names: string[] }>(db, 'select drop_time_partitions($1, $2) as names', [
      parent,
      before,
    ])
    dropped.push(...(row?.names ?? []))
  }
  return dropped
}

const lowestKept = `time_id('evt', date_trunc('month', $1::timestamptz, 'UTC'))`

// The bound is said again of events: it keeps the comparison to the partitions that are about to go.
const waitingText = `select from ledger l
  where l.id < ${lowestKept} and not exists (
    select from events e where e.organization_id = l.organization_id and e.id = l.id and e.id < ${lowestKept}
  )
  limit 1`

// An event may have been numbered after one of the next month: what is kept below the floor counts as gone.
const floorText = `update event_heads h set floor_sequence = d.sequence, floor_hash = d.hash
  from (
    select distinct on (organization_id) organization_id, sequence, hash from events
    where id < ${lowestKept}
    order by organization_id, sequence desc
  ) d
  where h.organization_id = d.organization_id and d.sequence > h.floor_sequence`
