import {
  CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  DummyDriver,
  Transaction as KyselyTransaction,
  PostgresDialect,
  type QueryResult,
} from 'kysely'
import pg from 'pg'
import type { Config } from './config.ts'
import {
  asDatabaseProblem,
  CommitRefused,
  DatabaseUnavailable,
  isConnectionFailure,
  OutcomeUnknown,
} from './database-errors.ts'
import type { Logger } from './logger.ts'
import { sendQuery } from './send-query.ts'
import type { DB } from './tables.gen.ts'

export type Transaction = KyselyTransaction<DB>
/** What a read may use of a transaction; PostgreSQL refuses writes in it as well. */
export type ReadTransaction = Pick<
  Transaction,
  'selectFrom' | 'selectNoFrom' | 'with' | 'fn' | 'executeQuery' | 'getExecutor'
>

/** `app` is bound to one tenant, `relay` reads across tenants what its policies list. */
export type DatabaseRole = 'app' | 'relay'

export interface TransactionOpening {
  readonly role: DatabaseRole
  /** Values of `app.*` settings the row-level policies compare with. */
  readonly organizationId?: string
  readonly credentialHash?: string
  readonly readOnly?: boolean
}

/** A transaction under way. Statements sent without waiting share a round trip with BEGIN and with COMMIT. */
export interface Session {
  readonly db: Transaction
  /** Sends COMMIT behind `pending` in the same trip; resolves only if PostgreSQL answers with the tag COMMIT. */
  commit(pending?: readonly Promise<unknown>[]): Promise<void>
  rollback(cause: unknown): Promise<void>
}

export interface Database {
  begin(opening: TransactionOpening): Promise<Session>
  /** Connections: open, idle and the callers waiting for one. */
  readonly load: { readonly total: number; readonly idle: number; readonly waiting: number }
  close(): Promise<void>
}

export interface ConnectionOptions {
  readonly config: Config
  readonly log: Logger
  readonly applicationName: string
  /** Limit of one statement, in PostgreSQL and, a little longer, here. */
  readonly statementTimeoutMs: number
}

export interface DatabaseOptions extends ConnectionOptions {
  /** Longest wait for a connection. */
  readonly acquireTimeoutMs?: number
}

/** Opens the pool. Nothing connects before the first transaction. */
export function createDatabase(options: DatabaseOptions): Database {
  const { config, log, statementTimeoutMs } = options
  const pool = new pg.Pool({
    ...connectionSettings(options),
    connectionString: config.DATABASE_URL,
    max: config.DB_POOL_SIZE,
    connectionTimeoutMillis: options.acquireTimeoutMs ?? config.DB_ACQUIRE_TIMEOUT_MS,
  })
  const answerTimeoutMs = Math.max(config.DB_QUERY_TIMEOUT_MS, answerTimeoutOf(statementTimeoutMs))
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'))
  // Without a listener a terminated backend would crash the process while its client is checked out.
  pool.on('connect', (client) => {
    client.on('error', (error) => log.warn({ err: error }, 'database connection lost'))
    client.on('notice', ({ severity, message }) => log.debug({ 'db.notice.severity': severity }, message ?? 'notice'))
  })
  return {
    async begin(opening) {
      const client = await pool.connect().catch((error: unknown) => {
        throw new DatabaseUnavailable({ cause: error })
      })
      return openSession(client, opening, answerTimeoutMs)
    },
    get load() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }
    },
    close: () => pool.end(),
  }
}

/** What every connection is opened with, pooled or not. */
export const connectionSettings = ({ config, applicationName, statementTimeoutMs }: ConnectionOptions) => ({
  application_name: applicationName,
  statement_timeout: statementTimeoutMs,
  lock_timeout: config.DB_LOCK_TIMEOUT_MS,
  idle_in_transaction_session_timeout: config.DB_IDLE_IN_TRANSACTION_TIMEOUT_MS,
  keepAlive: true,
  pipeline: true,
  types: { getTypeParser },
})

/** PostgreSQL ends a statement itself; this is for one that is frozen or cut off. */
export const answerTimeoutOf = (statementTimeoutMs: number): number => statementTimeoutMs + 1_000

/** All that a transaction needs of a connection, pooled or not. */
export interface SessionClient extends Pick<pg.ClientBase, 'query' | 'escapeLiteral'> {
  /** Called when the transaction has ended; `broken`: the connection must not be used again. */
  release(broken?: boolean): void
}

/** Begins a transaction on a connection that pipelines. */
export function openSession(client: SessionClient, opening: TransactionOpening, answerTimeoutMs: number): Session {
  const send = (query: pg.QueryConfig) => sendQuery(client, query, answerTimeoutMs)
  const begun = send({ text: beginText(client, opening) })
  begun.catch(() => {})
  return {
    db: bind(send, begun),
    async commit(pending = []) {
      const committed = send({ text: 'commit' })
      const settled = await Promise.allSettled([begun, ...pending, committed])
      const failure = settled.find((outcome) => outcome.status === 'rejected')
      if (failure) throw outcomeOf(failure.reason)
      const { command } = await committed
      if (command !== 'COMMIT') throw new CommitRefused(command)
      client.release()
    },
    async rollback(cause) {
      if (isConnectionFailure(cause)) return client.release(true)
      try {
        await send({ text: 'rollback' })
        client.release()
      } catch {
        client.release(true)
      }
    },
  }
}

/**
 * All of a transaction: COMMIT when `run` is done with it, ROLLBACK when it fails.
 * @throws DatabaseUnavailable in place of what says that the database is away or overloaded.
 */
export async function inTransaction<T>(
  begun: Session | Promise<Session>,
  run: (db: Transaction) => Promise<T>,
): Promise<T> {
  const session = await begun
  try {
    const result = await run(session.db)
    await session.commit()
    return result
  } catch (error) {
    await session.rollback(error)
    throw asDatabaseProblem(error)
  }
}

/** Marks a statement that COMMIT goes behind: its error comes out at COMMIT, or is that of a work that failed before. */
export function awaitedAtCommit(statement: Promise<unknown>): Promise<unknown> {
  statement.catch(() => {})
  return statement
}

/** Sends a statement as it is written, at once; answers its rows. */
export async function runSql<R>(
  db: Pick<Transaction, 'executeQuery'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  return (await db.executeQuery<R>(CompiledQuery.raw(text, [...values]))).rows
}

/** A connection that breaks once COMMIT is on its way leaves the outcome open. */
function outcomeOf(error: unknown): unknown {
  return isConnectionFailure(error) ? new OutcomeUnknown({ cause: error }) : error
}

/**
 * BEGIN, role and tenant as one message. Everything is local to the transaction: a pooler may sit in between. Plans are
 * those that the tests of plans look at.
 */
function beginText(
  client: SessionClient,
  { role, organizationId, credentialHash, readOnly }: TransactionOpening,
): string {
  const settings = [
    `set_config('role', 'purser_${role}', true)`,
    `set_config('plan_cache_mode', 'force_generic_plan', true)`,
  ]
  if (organizationId !== undefined)
    settings.push(`set_config('app.organization_id', ${client.escapeLiteral(organizationId)}, true)`)
  if (credentialHash !== undefined)
    settings.push(`set_config('app.credential_hash', ${client.escapeLiteral(credentialHash)}, true)`)
  const renewal = arePlansOld(client) ? 'discard plans; ' : ''
  return `begin${readOnly ? ' read only' : ''}; ${renewal}select ${settings.join(', ')}`
}

/**
 * To an empty table all indexes are equal, and a plan that was made for one stays until autovacuum has looked at it: a
 * look-up by key would be a scan of the tenant for the first minute of every month, when partitions begin.
 */
const plansLastMs = 5_000
const plannedAt = new WeakMap<object, number>()

function arePlansOld(client: object): boolean {
  const now = performance.now()
  const planned = plannedAt.get(client)
  if (planned !== undefined && now - planned < plansLastMs) return false
  plannedAt.set(client, now)
  return planned !== undefined
}

const unusedPool = async (): Promise<never> => {
  throw new Error('a bound transaction opens no connection of its own')
}
const dialect = new PostgresDialect({ pool: unusedPool })
const driver = new DummyDriver()
const compiler = dialect.createQueryCompiler()
const adapter = dialect.createAdapter()

/** Kysely over one client: every query goes out at once, so what is not awaited is pipelined. */
function bind(send: (query: pg.QueryConfig) => Promise<pg.QueryResult>, begun: Promise<unknown>): Transaction {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const name = statementName(query.sql)
      const sent = send({
        text: query.sql,
        values: [...query.parameters],
        ...(name === undefined ? {} : { name }),
      })
      // When BEGIN itself failed, its error is the cause; this one only says that there is no transaction.
      const result = await sent.catch((error: unknown) => begun.then(() => Promise.reject(error)))
      return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) }
    },
    streamQuery(): never {
      throw new Error('streaming is not possible on a pipelined connection')
    },
  }
  const executor = new DefaultQueryExecutor(compiler, adapter, { provideConnection: (consume) => consume(connection) })
  return new KyselyTransaction<DB>({ config: { dialect }, dialect, driver, executor })
}

const statementNames = new Map<string, string>()
const maxNamedStatements = 500

/** Prepared once per connection; past the limit, texts with many variants are sent unnamed. */
function statementName(text: string): string | undefined {
  const known = statementNames.get(text)
  if (known !== undefined || statementNames.size >= maxNamedStatements) return known
  const name = `p${statementNames.size}`
  statementNames.set(text, name)
  return name
}

/** int8 as a number, refused beyond 2^53 rather than rounded. */
function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the safe integers`)
  return value
}

const int8 = 20
/** The parsers of every connection: what tables.gen.ts says about types holds for these. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === int8 && format !== 'binary' ? parseInt8 : pg.types.getTypeParser(oid, format ?? 'text')
}
