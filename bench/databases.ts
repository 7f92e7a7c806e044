import { loadConfig } from '../services/api/src/platform/config.ts'
import { migrateUp, readMigrations } from '../services/api/src/platform/migrations.ts'
import type { RunningCluster } from '../services/api/src/start/cluster.ts'
import { seedDemo } from '../services/api/src/start/demo.ts'
import { until } from '../services/api/src/test/until.ts'
import type { Catalog } from './catalog.ts'
import { query, withClient } from './cluster.ts'

const server = { name: 'bench_server', password: 'bench' } as const
const ordersPerTransaction = 1_000

/** A login that may do what the API process may do in production, and no more. */
export const serverUrl = (cluster: RunningCluster, database: string): string =>
  cluster.url(database, server.name, server.password)

const worker = { name: 'bench_worker', password: 'bench' } as const

/** The same for the worker. */
export const workerUrl = (cluster: RunningCluster, database: string): string =>
  cluster.url(database, worker.name, worker.password)

/** Creates a migrated database with the demo's catalog; returns a key without a limit of its own. */
export async function createDatabase(cluster: RunningCluster, database: string): Promise<string> {
  await query(cluster.url('postgres'), `create database ${database}`)
  const url = cluster.url(database)
  await withClient(url, async (client) => migrateUp(client, await readMigrations()))
  await query(
    url,
    `create role ${server.name} login noinherit password '${server.password}'; grant purser_app to ${server.name};
     create role ${worker.name} login noinherit password '${worker.password}';
     grant purser_app, purser_relay to ${worker.name}`,
  )
  const access = await seedDemo(loadConfig({ DATABASE_URL: url }), undefined, async () => undefined)
  // The demo's stock and rate limit are for people.
  await query(url, `update api_keys set rate_limit_per_minute = null; update stock_levels set on_hand = 1000000000`)
  return access.apiKey
}

/** Copies a database nobody is connected to, file by file: the copy has the same pages and statistics. */
export async function copyDatabase(cluster: RunningCluster, from: string, to: string): Promise<void> {
  await dropDatabase(cluster, to)
  // Autovacuum may still be looking at it.
  await query(cluster.url('postgres'), endSessionsText, [from])
  await query(cluster.url('postgres'), `create database ${to} template ${from} strategy file_copy`)
}

const endSessionsText = 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1'

export const dropDatabase = (cluster: RunningCluster, database: string) =>
  query(cluster.url('postgres'), `drop database if exists ${database} with (force)`)

/** Stores orders of the past year in even steps, then makes statistics and visibility as they are after a while. */
export async function fillOrders(url: string, catalog: Catalog, count: number): Promise<void> {
  // Two sessions, of which one draws even and the other odd SKUs: neither waits for the other.
  await Promise.all([0, 1].map((half) => fillHalf(url, catalog, count, half)))
  await withClient(url, async (client) => {
    await client.query('vacuum (analyze)')
    await client.query('checkpoint')
  })
}

const fillHalf = (url: string, catalog: Catalog, count: number, half: number) =>
  withClient(url, async (client) => {
    await client.query('set synchronous_commit = off')
    for (let from = half; from < count; from += 2 * ordersPerTransaction)
      await client.query(fillText, [
        from,
        Math.min(from + 2 * ordersPerTransaction, count) - 1,
        half,
        Math.floor(catalog.third / 2) - 1,
        catalog.third,
        count,
      ])
  })

const fillText = `select count(bench.place_order(
    2 * random(0, $4) + $3, $5 + 2 * random(0, $4) + $3, 2 * $5 + 2 * random(0, $4) + $3,
    (i - $6::int) * interval '365 days' / $6::int - interval '1 day'))
  from generate_series($1::int, $2::int, 2) as i`

export const countOrders = async (url: string): Promise<number> => {
  const [row] = await query<{ count: string }>(url, 'select count(*) from orders')
  return Number(row?.count)
}

/**
 * Whether the rows of all orders and their stock add up.
 * @throws Error naming what does not.
 */
export async function checkBooks(url: string): Promise<string> {
  const [sums] = await query<Readonly<Record<string, string>>>(url, booksText)
  if (!sums) throw new Error('the books are empty')
  const { orders, ...rest } = sums
  const wanted: Readonly<Record<string, number>> = { lines: 3, reservations: 3, movements: 3, ledger: 2, answers: 1 }
  for (const [name, times] of Object.entries(wanted))
    if (Number(rest[name]) !== times * Number(orders)) throw new Error(`${orders} orders have ${rest[name]} ${name}`)
  if (rest.reserved !== rest.held) throw new Error(`${rest.held} units are reserved, stock says ${rest.reserved}`)
  return `${orders} orders with ${rest.lines} lines, ${rest.ledger} ledger rows, ${rest.answers} stored answers and ${rest.held} units reserved`
}

const booksText = `select (select count(*) from orders) as orders,
  (select count(*) from order_lines) as lines,
  (select count(*) from reservations) as reservations,
  (select count(*) from stock_movements where type = 'reserve') as movements,
  (select count(*) from ledger where resource_type = 'order') as ledger,
  (select count(*) from idempotency_keys where location like '/v1/orders/%') as answers,
  (select sum(reserved) from stock_levels) as reserved,
  (select sum(quantity) from reservations where state = 'firm') as held`

const numberedWithinMs = 60_000

/** Waits until every row of the ledger is an event: those of the catalog would come before all others. */
export const untilNumbered = (url: string): Promise<void> =>
  until(
    'every row of the ledger is numbered',
    async () => {
      const text = 'select (select count(*) from ledger) = (select count(*) from events) as "isDone"'
      const [row] = await query<{ isDone: boolean }>(url, text)
      return row?.isDone === true
    },
    numberedWithinMs,
  )
