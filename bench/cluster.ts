import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { temporaryCluster } from '../services/api/src/start/temporary-cluster.ts'

/** The same for every measurement; everything else is PostgreSQL's default. */
const settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  min_wal_size: '2GB',
  checkpoint_timeout: '30min',
  max_connections: '300',
  autovacuum: 'on',
} as const

const tmpfs = 0x01021994

/** A durable cluster of its own, gone with its files after `stop`; `more`: what one measurement needs besides. */
export async function startBenchCluster(more: Readonly<Record<string, string>> = {}): Promise<RunningCluster> {
  const cluster = await temporaryCluster({ ...settings, ...more })
  try {
    await refuseMemory(cluster)
    await settingsOf(cluster.url('postgres'))
    await prepareLog(cluster.url('postgres'))
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/**
 * Every commit waits while PostgreSQL fills a new segment of its log, 16 MB of zeros. A server that has run for a while
 * reuses those from before the last checkpoint, so as many as `min_wal_size` keeps are there before anything is measured.
 */
async function prepareLog(url: string): Promise<void> {
  // The setting is in megabytes.
  await query(
    url,
    `do $$ begin
      for segment in 1..(select setting::integer / 16 from pg_settings where name = 'min_wal_size') loop
        perform pg_logical_emit_message(false, 'bench', ''), pg_switch_wal();
      end loop;
    end $$`,
  )
  await query(url, 'checkpoint')
}

/**
 * The settings as PostgreSQL has them for this login and database.
 * @throws Error when one is not what every measurement uses.
 */
export async function settingsOf(url: string): Promise<string> {
  const names = Object.keys(settings)
  const rows = await query<{ name: string; value: string }>(
    url,
    `select name, current_setting(name) as value from unnest($1::text[]) as name`,
    [[...names, 'server_version', 'wal_sync_method']],
  )
  const actual = new Map(rows.map(({ name, value }) => [name, value]))
  const wrong = Object.entries(settings).filter(([name, value]) => actual.get(name) !== value)
  if (wrong.length > 0)
    throw new Error(`other PostgreSQL settings: ${wrong.map(([name]) => `${name} = ${actual.get(name)}`).join(', ')}`)
  return rows.map(({ name, value }) => `${name}=${value}`).join(' ')
}

/** One statement on a connection of its own. */
export async function query<R extends object>(url: string, text: string, values: readonly unknown[] = []) {
  return withClient(url, async (client) => {
    const { rows } = await client.query<R & pg.QueryResultRow>(text, [...values])
    return rows
  })
}

export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'purser bench' })
  // The cluster's end is told by the query that fails; without a listener it would end the process unexplained.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** An fsync to memory costs nothing and proves nothing. */
async function refuseMemory(cluster: RunningCluster): Promise<void> {
  const [place] = await query<{ folder: string }>(
    cluster.url('postgres'),
    `select current_setting('data_directory') as folder`,
  )
  const { type } = await statfs(place?.folder ?? '')
  if (type === tmpfs) throw new Error(`${place?.folder} is in memory: point TMPDIR at a disk`)
}

/** The first line a program prints about itself; null when it cannot be run. */
export async function versionOf(program: string, option: string): Promise<string | null> {
  const said = await promisify(execFile)(program, [option]).catch(
    (error: { stdout?: string; stderr?: string }) => error,
  )
  const text = `${said.stdout ?? ''}${said.stderr ?? ''}`
  return text === '' ? null : (text.split('\n')[0] ?? null)
}
