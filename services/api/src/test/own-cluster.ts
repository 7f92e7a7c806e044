import pg from 'pg'
import type { Test } from 'tap'
import { migrateUp, readMigrations } from '#platform/migrations.ts'
import { temporaryCluster } from '../start/temporary-cluster.ts'

/**
 * A cluster for one test with one migrated database. In a shared cluster the open transactions of other databases hold
 * back what counts as finished.
 */
export async function ownCluster(t: Test, settings: Readonly<Record<string, string | number>> = {}) {
  const cluster = await temporaryCluster(settings)
  t.teardown(() => cluster.stop())
  const databaseUrl = cluster.url('purser')
  await asSuperuser(cluster.url('postgres'), (client) => client.query('create database purser'))
  await asSuperuser(databaseUrl, async (client) => migrateUp(client, await readMigrations()))
  return { cluster, databaseUrl }
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
