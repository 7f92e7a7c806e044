import pg from 'pg'
import type { Config } from '#platform/config.ts'
import { migrateUp, readMigrations } from '#platform/migrations.ts'
import { syncCluster } from './cluster.ts'
import { type EmbeddedPostgres, embeddedPostgres } from './embedded-postgres.ts'
import type { Instance } from './instance.ts'
import { createLogins, grantRoles } from './logins.ts'
import { supervise } from './processes.ts'
import { checkDatabase } from './reachable.ts'

/** A database that is there and migrated, and who logs in to it. */
export interface PreparedDatabase {
  readonly serverUrl: string
  readonly workerUrl: string
}

export interface DatabaseContext {
  readonly config: Config
  readonly instance: Instance
  readonly say: (line: string) => void
  readonly signal: AbortSignal
  /** Called as soon as there is a process to stop. */
  readonly onStop: (stop: () => Promise<void>) => void
}

/** The operator's database; in production it is migrated by its own step and never here. */
export async function givenDatabase({ config }: DatabaseContext): Promise<PreparedDatabase> {
  const { DATABASE_URL: url, MIGRATION_DATABASE_URL, NODE_ENV } = config
  await checkDatabase(url)
  if (NODE_ENV !== 'production') {
    await migrate(MIGRATION_DATABASE_URL || url)
    await checkRoles(url)
  }
  return { serverUrl: url, workerUrl: url }
}

/** The embedded PostgreSQL of the data folder, created on the first start. */
export async function ownDatabase(context: DatabaseContext): Promise<PreparedDatabase> {
  const { config, instance, say, signal, onStop } = context
  const postgres = await embeddedPostgres(config.DATA_DIR)
  signal.throwIfAborted()
  const supervised = supervise('postgres', await postgres.start(), postgres.start, { instance, say })
  onStop(supervised.stop)
  const synced = postgres.isNew ? syncCluster(postgres.place) : undefined
  await prepare(postgres)
  await synced
  return { serverUrl: postgres.url('purser_server'), workerUrl: postgres.url('purser_worker') }
}

async function prepare(postgres: EmbeddedPostgres): Promise<void> {
  await createLogins(postgres)
  await migrate(postgres.url('purser'))
  await grantRoles(postgres)
}

const migrate = (url: string): Promise<void> =>
  withClient(url, async (client) => {
    await migrateUp(client, await readMigrations())
  })

/** A login that owns the database may still lack the roles the service works in. */
const checkRoles = (url: string): Promise<void> =>
  withClient(url, async (client) => {
    for (const role of ['purser_app', 'purser_relay'])
      await client.query(`begin; select set_config('role', '${role}', true); rollback`).catch((cause: Error) => {
        const { username } = new URL(url)
        throw new Error(`${cause.message}: grant ${role} to ${username || 'its login'} with set true`, {
          cause,
        })
      })
  })

async function withClient(url: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'purser start' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
