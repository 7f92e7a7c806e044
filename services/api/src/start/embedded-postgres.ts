import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type Account, mayEnter, mayRun, openFolder, ordinaryAccount } from './account.ts'
import { copyBinaries, embeddedBinaries } from './binaries.ts'
import { type ClusterPlace, createCluster, freePort, ownFolder, type RunningCluster, startCluster } from './cluster.ts'
import { endProcess } from './instance.ts'
import { findProcess } from './process-table.ts'

const leftoverTimeoutMs = 10_000

export const logins = ['postgres', 'purser', 'purser_server', 'purser_worker'] as const
export type Login = (typeof logins)[number]

/** What must be the same at the next start. */
interface Settings {
  port: number
  readonly passwords: Readonly<Record<Login, string>>
  /** Where the files are instead, if the ordinary user may not enter the data folder or the installation. */
  elsewhere: string | null
}

export interface EmbeddedPostgres {
  readonly place: ClusterPlace
  /** Whether this start created it. */
  readonly isNew: boolean
  url(login: Login, database?: string): string
  start(): Promise<RunningCluster>
}

/** Finds or creates the embedded PostgreSQL of a data folder, ready to be started. */
export async function embeddedPostgres(dataFolder: string): Promise<EmbeddedPostgres> {
  const settingsFile = path.join(dataFolder, 'postgres.json')
  const known = await readSettings(settingsFile)
  const settings = known ?? newSettings()
  const place = await findPlace(dataFolder, settings)
  const isNew = !existsSync(place.data)
  if (!isNew && known === undefined)
    throw new Error(`${settingsFile} is missing: restore it, or remove ${place.data} to begin anew`)
  await endLeftover(place.data)
  settings.port = await freePort(settings.port)
  await writeFile(settingsFile, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  if (isNew) await createInOneStep(place)
  const url = (login: Login, database = 'purser') =>
    `postgres://${login}:${settings.passwords[login]}@127.0.0.1:${settings.port}/${database}`
  const logFile = path.join(dataFolder, 'logs', 'postgres.log')
  const start = () =>
    startCluster(place, { port: settings.port, logFile, settings: { max_connections: 200, max_wal_size: '2GB' } })
  return { place, isNew, url, start }
}

/** Stops a server that outlived the start it belonged to. */
async function endLeftover(data: string): Promise<void> {
  const file = path.join(data, 'postmaster.pid')
  const pid = existsSync(file) ? Number.parseInt(await readFile(file, 'utf8'), 10) : Number.NaN
  // After a crash of the machine the file may name a process that has nothing to do with it.
  if (findProcess(pid)?.command.includes(data)) await endProcess(pid, ['SIGINT', 'SIGQUIT'], leftoverTimeoutMs)
}

/** A creation that is cut short leaves nothing that looks like a cluster. */
async function createInOneStep(place: ClusterPlace): Promise<void> {
  const unfinished = `${place.data}.new`
  await rm(unfinished, { recursive: true, force: true })
  await createCluster({ ...place, data: unfinished })
  await rename(unfinished, place.data)
}

async function readSettings(file: string): Promise<Settings | undefined> {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Settings
  } catch (cause) {
    throw new Error(`cannot read ${file}`, { cause })
  }
}

function newSettings(): Settings {
  const password = () => randomBytes(24).toString('base64url')
  const passwords = { postgres: password(), purser: password(), purser_server: password(), purser_worker: password() }
  return { port: 0, passwords, elsewhere: null }
}

/** Decides who runs PostgreSQL and from which folders; as root both must be open to an ordinary user. */
async function findPlace(dataFolder: string, settings: Settings): Promise<ClusterPlace> {
  const installed = await embeddedBinaries()
  const superuserPassword = settings.passwords.postgres
  const inside = path.join(dataFolder, 'postgres')
  const account = await accountFor(path.join(inside, 'data'))
  if (account === undefined) {
    await ownFolder(inside, undefined)
    return { binaries: installed, account, data: path.join(inside, 'data'), superuserPassword }
  }
  const [mayUseData, mayUseBinaries] = await Promise.all([
    mayEnter(account, dataFolder),
    mayRun(account, installed.initdb),
  ])
  if (settings.elsewhere !== null && !existsSync(settings.elsewhere)) settings.elsewhere = null
  if (!(mayUseData && mayUseBinaries)) settings.elsewhere ??= await openFolder(account)
  if (settings.elsewhere !== null) await chmod(settings.elsewhere, 0o755)
  const parent = mayUseData || settings.elsewhere === null ? inside : settings.elsewhere
  const folder = path.join(parent, parent === inside ? '' : 'postgres')
  await ownFolder(folder, account)
  const binaries = mayUseBinaries ? installed : await copyBinaries(installed, settings.elsewhere ?? inside)
  return { binaries, account, data: path.join(folder, 'data'), superuserPassword }
}

/** Existing files keep their owner, if an ordinary user owns them. */
async function accountFor(data: string): Promise<Account | undefined> {
  const account = ordinaryAccount()
  if (account === undefined || !existsSync(data)) return account
  const { uid, gid } = await stat(data)
  return uid === 0 ? account : { uid, gid }
}
