import type { Alerts } from './alerts.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { type Database, inTransaction, runSql, type Transaction } from './database.ts'
import type { Logger } from './logger.ts'
import { pendingMigrations } from './migrations.ts'
import { createLagAlarm } from './relay/lag.ts'

/** The state of one thing the service needs: `failed` takes it out of rotation, `degraded` does not. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'degraded' | 'failed'
  readonly detail?: string
}

export interface ReadinessDependencies {
  readonly config: Config
  readonly alerts: Alerts
  readonly database: Database
  readonly log: Logger
  readonly clock: Clock
}

const workerSilenceMs = 150_000

/** What readiness depends on: the database and its schema; a silent worker or a slow relay only degrades. */
export function readinessChecks(dependencies: ReadinessDependencies): () => Promise<readonly Check[]> {
  const { database, log, clock } = dependencies
  const relayCheck = createRelayCheck(dependencies)
  let migrated = false
  return async () => {
    try {
      return await inTransaction(database.begin({ role: 'app', readOnly: true }), async (db) => {
        const query = async (text: string) => ({ rows: await runSql(db, text) })
        const pending = migrated ? [] : await pendingMigrations({ query })
        migrated = pending.length === 0
        const workers = migrated ? [await workerCheck(db, clock.now()), await relayCheck(db)] : []
        return [{ name: 'database', state: 'ok' }, migrationCheck(pending), ...workers]
      })
    } catch (error) {
      log.warn({ err: error }, 'not ready: the database does not answer')
      return [{ name: 'database', state: 'failed', detail: 'no answer' }]
    }
  }
}

function migrationCheck(pending: readonly string[]): Check {
  if (pending.length === 0) return { name: 'migrations', state: 'ok' }
  return { name: 'migrations', state: 'failed', detail: `not applied: ${pending.join(', ')}` }
}

/** The worker leaves a mark in the job queue's schema every 30 s. */
async function workerCheck(db: Transaction, now: Date): Promise<Check> {
  const [row] = await runSql<{ cron_on: Date | null }>(db, 'select cron_on from pgboss.version')
  const last = row?.cron_on
  if (last && now.getTime() - last.getTime() < workerSilenceMs) return { name: 'worker', state: 'ok' }
  return { name: 'worker', state: 'degraded', detail: last ? `silent since ${last.toISOString()}` : 'never seen' }
}

const lagText = `select (extract(epoch from clock_timestamp() - beat_at) * 1000)::float8 as silent_ms,
    (extract(epoch from clock_timestamp() - behind_since) * 1000)::float8 as behind_ms
  from relay_state`

/** A relay that lives says every second since when the oldest event waits for its number. */
function createRelayCheck({ config, alerts }: ReadinessDependencies): (db: Transaction) => Promise<Check> {
  const alarm = createLagAlarm(alerts, config)
  return async (db) => {
    const [row] = await runSql<{ silent_ms: number | null; behind_ms: number | null }>(db, lagText)
    const { silent_ms: silentMs = null, behind_ms: behindMs = null } = row ?? {}
    if (silentMs === null) return { name: 'relay', state: 'degraded', detail: 'never seen' }
    const lagMs = Math.max(silentMs, behindMs ?? 0)
    alarm(lagMs)
    if (lagMs <= config.RELAY_LAG_LIMIT_MS) return { name: 'relay', state: 'ok' }
    const what = silentMs === lagMs ? 'silent' : 'behind'
    return { name: 'relay', state: 'degraded', detail: `${what} for ${Math.round(lagMs / 1_000)} s` }
  }
}
