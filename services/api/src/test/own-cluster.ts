import pg from 'pg'
import type { Test } from 'tap'
import { migrateUp, readMigrations } from '#platform/migrations.ts'
import { type TemporaryCluster, temporaryCluster } from '../start/temporary-cluster.ts'

/**
 * A cluster for one test with one migrated database. In a shared cluster the open transactions of other databases hold
 * back what counts as finished.
 */
export async function ownCluster(t: Test, settings: Readonly<Record<string, string | number>> = {}) {
  const cluster = await temporaryCluster(settings)
  t.teardown(() => cluster.stop())
  return { cluster, databaseUrl: await migratedDatabase(cluster) }
}

/** The URL of a new database with every migration. */
export async function migratedDatabase(cluster: Pick<TemporaryCluster, 'url'>): Promise<string> {
  const url = await createDatabase(cluster)
  await asSuperuser(url, async (client) => migrateUp(client, await readMigrations()))
  return url
}

/** The URL of a new, empty database. */
export async function createDatabase({ url }: Pick<TemporaryCluster, 'url'>): Promise<string> {
  await asSuperuser(url('postgres'), (client) => client.query('create database purser'))
  return url('purser')
}

async function asSuperuser(url: string, run: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await run(client)
  } finally {
    await client.end()
  }
}
