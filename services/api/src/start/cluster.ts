import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'

const startTimeoutMs = 20_000
/** After a crash a server that says it is starting recovers: ended on the way it would have to begin anew. */
const recoveryTimeoutMs = 300_000
const stillStarting = '57P03'
const superuser = 'postgres'

/** Where a cluster lives and who runs it. */
export interface ClusterPlace {
  readonly binaries: Binaries
  readonly account: Account | undefined
  /** The data directory; its parent must exist and belong to the account. */
  readonly data: string
  readonly superuserPassword: string
}

export interface RunningCluster {
  readonly port: number
  readonly child: ChildProcess
  /** Why it ended by itself, in a few words. */
  failure(): string
  /** URL of a database for the superuser, or for another login. */
  url(database: string, user?: string, password?: string): string
  /** A fast shutdown: sessions end, nothing is lost. Resolves when the process is gone. */
  stop(): Promise<void>
  /** An immediate shutdown: the next start recovers from the log. */
  kill(): void
}

/** Creates the cluster's files. Not synced to disk: `syncCluster` does that while the server already runs. */
export async function createCluster(place: ClusterPlace): Promise<void> {
  const folder = await mkdtemp(path.join(path.dirname(place.data), 'initdb-'))
  const passwordFile = path.join(folder, 'password')
  try {
    await writeFile(passwordFile, place.superuserPassword, { mode: 0o600 })
    if (place.account !== undefined)
      for (const file of [folder, passwordFile]) await chown(file, place.account.uid, place.account.gid)
    await initdb(place, [
      ...['--username', superuser, '--pwfile', passwordFile, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Makes a freshly created cluster survive a power failure. */
export const syncCluster = (place: ClusterPlace): Promise<void> => initdb(place, ['--sync-only'])

/** Starts the server on loopback and waits until it answers. Its log is appended to `logFile`. */
export async function startCluster(
  place: ClusterPlace,
  options: { port: number; logFile: string; settings?: Readonly<Record<string, string | number>> },
): Promise<RunningCluster> {
  const { port, logFile } = options
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', ...options.settings }
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(
    place.binaries.postgres,
    ['-D', place.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // Its own session: Ctrl-C in the terminal must reach the server and the worker first.
    { ...place.account, cwd: place.data, detached: true, stdio: ['ignore', log, log], env: { PATH: '/usr/bin:/bin' } },
  )
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  const url = (database: string, user = superuser, password = place.superuserPassword) =>
    `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  await untilReady(child, url('postgres'), logFile)
  return {
    port,
    child,
    url,
    async stop() {
      child.kill('SIGINT')
      await ended
    },
    kill: () => void child.kill('SIGQUIT'),
    failure: () => child.signalCode ?? `exit code ${child.exitCode}, see ${logFile}`,
  }
}

/** A port of the loopback address that nobody listens on: the wanted one if it is free. */
export async function freePort(wanted = 0): Promise<number> {
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = net.createServer().once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        const { port: bound } = server.address() as net.AddressInfo
        server.close(() => resolve(bound))
      })
    })
  return listen(wanted).catch(() => listen(0))
}

async function initdb(place: ClusterPlace, options: readonly string[]): Promise<void> {
  const running = promisify(execFile)(place.binaries.initdb, ['--pgdata', place.data, ...options], {
    ...place.account,
    cwd: path.dirname(place.data),
    env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
  })
  const abandon = () => running.child.kill()
  process.once('exit', abandon)
  try {
    await running
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string }
    throw new Error(`cannot create the embedded PostgreSQL: ${(stderr || message).trim().split('\n').at(-1)}`, {
      cause,
    })
  } finally {
    process.off('exit', abandon)
  }
}

async function untilReady(child: ChildProcess, url: string, logFile: string): Promise<void> {
  let failure: unknown
  child.once('error', (error) => {
    failure = error
  })
  const latest = Date.now() + recoveryTimeoutMs
  for (let deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(20)) {
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) break
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    const refusal: unknown = await client.connect().then(
      () => null,
      (error: unknown) => error,
    )
    if (refusal === null) return client.end()
    const isRecovering = refusal instanceof pg.DatabaseError && refusal.code === stillStarting
    if (isRecovering) deadline = Math.min(latest, Date.now() + startTimeoutMs)
  }
  child.kill('SIGKILL')
  const reason = readFileSync(logFile, 'utf8')
    .split('\n')
    .findLast((line) => /FATAL: +(?!the database system is starting)/.test(line))
  const said = reason?.replace(/^.*FATAL: +/, '') ?? `see ${logFile}`
  throw new Error(`the embedded PostgreSQL did not start: ${said}`, { cause: failure })
}

/** Makes a folder and gives it to the account. */
export async function ownFolder(folder: string, account: Account | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (account !== undefined) await chown(folder, account.uid, account.gid)
}
