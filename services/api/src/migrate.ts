import pg from 'pg'
import { loadConfig } from '#platform/config.ts'
import { migrateDown, migrateUp, migrationStates, readMigrations } from '#platform/migrations.ts'

const usage = 'usage: migrate up | down [count] | status'

try {
  // Only the database matters here: a migration job needs none of the service's secrets.
  const { DATABASE_URL, MIGRATION_DATABASE_URL } = process.env
  const config = loadConfig({ DATABASE_URL, MIGRATION_DATABASE_URL })
  const url = config.MIGRATION_DATABASE_URL || config.DATABASE_URL
  if (url === '') throw new Error('set DATABASE_URL or MIGRATION_DATABASE_URL to the database to migrate')
  for (const line of await run(url, process.argv.slice(2))) process.stdout.write(`${line}\n`)
} catch (error) {
  process.stderr.write(`migrate: ${error instanceof Error ? reason(error) : String(error)}\n`)
  process.exitCode = 1
}

async function run(url: string, [command = '', count = '1', ...rest]: readonly string[]): Promise<readonly string[]> {
  const isKnown = command === 'down' ? /^[1-9]\d{0,3}$/.test(count) : ['up', 'status'].includes(command)
  if (!isKnown || rest.length > 0) throw new Error(usage)
  const migrations = await readMigrations()
  const client = new pg.Client({
    connectionString: url,
    application_name: 'purser migrate',
    connectionTimeoutMillis: 10_000,
  })
  // A lost connection also rejects the running query; without a listener it would end the process unexplained.
  client.on('error', () => undefined)
  await client.connect()
  try {
    if (command === 'status')
      return (await migrationStates(client, migrations)).map(
        ({ name, appliedAt }) => `${name}  ${appliedAt === null ? 'pending' : `applied ${appliedAt.toISOString()}`}`,
      )
    const [done, verb] =
      command === 'up'
        ? [await migrateUp(client, migrations), 'applied']
        : [await migrateDown(client, migrations, Number(count)), 'reverted']
    return done.length === 0 ? ['nothing to do'] : done.map((name) => `${verb} ${name}`)
  } finally {
    await client.end()
  }
}

/** A refused connection to a name with several addresses is an AggregateError without a message. */
function reason(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return (first instanceof Error ? first.message : String(first)).split('\n')[0] ?? ''
}
