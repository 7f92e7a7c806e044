import { auditJobs } from '#features/audit/index.ts'
import { auditExportJobs } from '#features/audit-exports/index.ts'
import { backorderJobs } from '#features/backorders/index.ts'
import { type ApiKeyLookup, createApiKeyLookup } from '#features/identity/index.ts'
import { orderJobs } from '#features/order-changes/index.ts'
import { reservationJobs } from '#features/reservations/index.ts'
import { stockAuditJobs } from '#features/stock-audit/index.ts'
import { stockMarkJobs } from '#features/stock-marks/index.ts'
import {
  createRecentContents,
  createWebhookFanOut,
  type RecentContents,
  webhookDeliveryJobs,
} from '#features/webhook-delivery/index.ts'
import { type Alerts, createAlerts } from '#platform/alerts.ts'
import { type Caches, createCaches } from '#platform/cache.ts'
import { type Clock, systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { createDatabase, type Database } from '#platform/database.ts'
import { createEncryption, type Encryption } from '#platform/encryption.ts'
import type { EncryptedColumn } from '#platform/encryption-rotation.ts'
import { createEventSignal, type EventSignal } from '#platform/event-signal.ts'
import { type AnyJob, createJobQueue, type JobQueue } from '#platform/jobs.ts'
import { createLogger, type Logger } from '#platform/logger.ts'
import { createOutbound, type Outbound } from '#platform/outbound-http.ts'
import type { FanOut } from '#platform/relay/fan-out.ts'
import { createLedgerSignal, type LedgerSignal } from '#platform/relay/wake.ts'
import { kernelJobs } from '#platform/retention.ts'
import { createUnitOfWork } from '#platform/unit-of-work.ts'
import type { UnitOfWork } from '#platform/work.ts'

/** Everything a process is made of; tests replace members by spreading. */
export interface Runtime {
  readonly config: Config
  readonly log: Logger
  readonly alerts: Alerts
  readonly clock: Clock
  readonly caches: Caches
  readonly database: Database
  readonly encryption: Encryption
  readonly jobs: JobQueue
  readonly ledgerSignal: LedgerSignal
  readonly eventSignal: EventSignal
  readonly outbound: Outbound
  readonly unitOfWork: UnitOfWork
  readonly apiKeys: ApiKeyLookup
  readonly recentContents: RecentContents
  /** Who hears of every event in the transaction that numbers it. */
  readonly fanOuts: readonly FanOut[]
}

export const allJobs: readonly AnyJob[] = [
  ...kernelJobs,
  ...orderJobs,
  ...backorderJobs,
  ...reservationJobs,
  ...stockAuditJobs,
  ...stockMarkJobs,
  ...webhookDeliveryJobs,
  ...auditJobs,
  ...auditExportJobs,
]

/** What rotating ENCRYPTION_KEY encrypts anew. */
export const encryptedColumns: readonly EncryptedColumn[] = [{ table: 'webhook_secrets', column: 'ciphertext' }]

export interface RuntimeOptions {
  readonly process: 'server' | 'worker'
  readonly log?: Logger
  readonly clock?: Clock
}

const workerAcquireTimeoutMs = 10_000

/** The composition root: the only place where parts meet. Nothing connects before it is used. */
export function createRuntime(config: Config, options: RuntimeOptions): Runtime {
  const worker = options.process === 'worker'
  const log = options.log ?? createLogger(config, options.process)
  const clock = options.clock ?? systemClock
  const statementTimeoutMs = worker ? config.WORKER_STATEMENT_TIMEOUT_MS : config.DB_STATEMENT_TIMEOUT_MS
  // Nobody waits for a job as a client waits for an answer.
  const patience = worker ? { acquireTimeoutMs: workerAcquireTimeoutMs } : {}
  const database = createDatabase({
    config,
    log,
    statementTimeoutMs,
    ...patience,
    applicationName: `purser-${options.process}`,
  })
  const jobs = createJobQueue({ config, log, jobs: allJobs, supervise: worker, ...patience })
  const alerts = createAlerts(config, log)
  const caches = createCaches()
  const encryption = createEncryption(config.ENCRYPTION_KEY)
  const ledgerSignal = createLedgerSignal({ config, log })
  const eventSignal = createEventSignal({ config, log, database })
  const outbound = createOutbound({ config })
  const unitOfWork = createUnitOfWork({ database, clock, jobs, caches, ledgerSignal })
  const apiKeys = createApiKeyLookup({ config, log, clock, caches, database, unitOfWork })
  const recentContents = createRecentContents()
  return {
    config,
    log,
    alerts,
    clock,
    caches,
    database,
    encryption,
    jobs,
    ledgerSignal,
    eventSignal,
    outbound,
    unitOfWork,
    apiKeys,
    recentContents,
    fanOuts: [createWebhookFanOut(recentContents)],
  }
}
