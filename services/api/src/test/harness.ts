import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import type { Clock } from '#platform/clock.ts'
import type { Logger } from '#platform/logger.ts'
import { createResolve } from '#platform/outbound-address.ts'
import { createOutbound } from '#platform/outbound-http.ts'
import { buildApp } from '../app.ts'
import { createRuntime, type Runtime } from '../runtime.ts'
import { testConfig } from './config.ts'
import { createTenant, type Tenant } from './factories.ts'
import { type Client, createClient } from './http-client.ts'

export interface Harness {
  readonly app: Awaited<ReturnType<typeof buildApp>>
  readonly runtime: Runtime
  /** A client of the holder of `key`; without one, an anonymous client. */
  readonly as: (key?: string) => Client
  /** An organization with a default location and a key that may do everything. */
  readonly tenant: Tenant
  /** Another such organization, for looking across. */
  readonly otherTenant: () => Promise<Tenant>
  /** The database as its superuser: sees every tenant, for looking at what was written. */
  readonly db: pg.Pool
  readonly databaseUrl: string
}

export interface HarnessOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly log?: Logger
  /** Changes the database before anything connects to it. */
  readonly prepare?: (db: pg.Client) => Promise<void>
  /** A migrated database to use in place of a copy of the template. */
  readonly databaseUrl?: string
  /** Replaces members of the runtime before the app is built. */
  readonly replace?: (runtime: Runtime) => Partial<Runtime>
}

/** A service on a database of its own, cloned from the migrated template. Everything is closed when `t` ends. */
export async function harness(t: Test, options: HarnessOptions = {}): Promise<Harness> {
  const databaseUrl = options.databaseUrl ?? (await cloneDatabase(t))
  const { prepare } = options
  if (prepare) await withClient(databaseUrl, prepare)
  const config = testConfig(databaseUrl, options.env)
  const made = createRuntime(config, {
    process: 'server',
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.log ? { log: options.log } : {}),
  })
  const outbound = createOutbound({ config, resolve: resolveForTests })
  const runtime: Runtime = { ...made, outbound, ...options.replace?.(made) }
  const app = await buildApp(runtime)
  await runtime.jobs.start()
  await app.http.ready()
  const db = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  // Its idle connections may still be closing when the database is dropped; what fails under a query rejects there.
  db.on('error', () => {})
  t.teardown(async () => {
    await app.http.close()
    await Promise.all([runtime.jobs.stop(), runtime.ledgerSignal.close(), runtime.eventSignal.close()])
    await runtime.database.close()
    await db.end()
  })
  return {
    app,
    runtime,
    as: (key) => createClient(app.http, key),
    tenant: await createTenant(runtime),
    otherTenant: () => createTenant(runtime),
    db,
    databaseUrl,
  }
}

const resolve = createResolve()

/** Names below `.example` need no name server: those below `inside.example` are on this machine, the others public. */
const resolveForTests = async (hostname: string): Promise<readonly string[]> =>
  !hostname.endsWith('.example') ? resolve(hostname) : [hostname.includes('inside') ? '127.0.0.1' : '93.184.216.34']

/** A fresh copy of the template database, dropped when `t` ends. */
export async function cloneDatabase(t: Test): Promise<string> {
  const { TEST_POSTGRES_URL: adminUrl, TEST_TEMPLATE: template } = process.env
  if (!adminUrl || !template) throw new Error('run tests with `npm test`, which brings PostgreSQL')
  const name = `t_${randomBytes(8).toString('hex')}`
  await administrate(adminUrl, `create database ${name} template ${template}`)
  t.teardown(() => administrate(adminUrl, `drop database if exists ${name} with (force)`))
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

const administrate = (url: string, statement: string) => withClient(url, (client) => client.query(statement))

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
