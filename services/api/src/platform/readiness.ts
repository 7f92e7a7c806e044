import { CompiledQuery } from 'kysely'
import type { Clock } from './clock.ts'
import type { Database, Transaction } from './database.ts'
import type { Logger } from './logger.ts'
import { pendingMigrations } from './migrations.ts'

/** The state of one thing the service needs: `failed` takes it out of rotation, `degraded` does not. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'degraded' | 'failed'
  readonly detail?: string
}

export interface ReadinessDependencies {
  readonly database: Database
  readonly log: Logger
  readonly clock: Clock
}

const workerSilenceMs = 150_000

/** What readiness depends on: the database and its schema; a silent worker only degrades. */
export function readinessChecks({ database, log, clock }: ReadinessDependencies): () => Promise<readonly Check[]> {
  let migrated = false
  return async () => {
    try {
      const session = await database.begin({ role: 'app', readOnly: true })
      try {
        const query = queryOn(session.db)
        const pending = migrated ? [] : await pendingMigrations({ query })
        migrated = pending.length === 0
        const worker = migrated ? await workerCheck(session.db, clock.now()) : []
        await session.commit()
        return [{ name: 'database', state: 'ok' }, migrationCheck(pending), ...worker]
      } catch (error) {
        await session.rollback(error)
        throw error
      }
    } catch (error) {
      log.warn({ err: error }, 'not ready: the database does not answer')
      return [{ name: 'database', state: 'failed', detail: 'no answer' }]
    }
  }
}

const queryOn =
  (db: Transaction) =>
  (text: string, values: readonly unknown[] = []) =>
    db.executeQuery(CompiledQuery.raw(text, [...values]))

function migrationCheck(pending: readonly string[]): Check {
  if (pending.length === 0) return { name: 'migrations', state: 'ok' }
  return { name: 'migrations', state: 'failed', detail: `not applied: ${pending.join(', ')}` }
}

/** The worker leaves a mark in the job queue's schema every 30 s. */
async function workerCheck(db: Transaction, now: Date): Promise<readonly Check[]> {
  const { rows } = await db.executeQuery<{ cron_on: Date | null }>(
    CompiledQuery.raw('select cron_on from pgboss.version'),
  )
  const last = rows[0]?.cron_on
  if (last && now.getTime() - last.getTime() < workerSilenceMs) return [{ name: 'worker', state: 'ok' }]
  return [{ name: 'worker', state: 'degraded', detail: last ? `silent since ${last.toISOString()}` : 'never seen' }]
}
