import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mayRun, openFolder, ordinaryAccount } from './account.ts'
import { type Binaries, copyBinaries, embeddedBinaries } from './binaries.ts'
import { createCluster, freePort, ownFolder, type RunningCluster, startCluster } from './cluster.ts'

const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }

export interface TemporaryCluster extends RunningCluster {
  /** Ends the server with this signal, SIGKILL included, and starts it again. */
  restart(signal: NodeJS.Signals): Promise<void>
}

/** A cluster for tests and code generation: fast, not durable, gone with its files after `stop`. */
export async function temporaryCluster(settings: Readonly<Record<string, string | number>> = {}, given?: Binaries) {
  const account = ordinaryAccount()
  const folder =
    account === undefined
      ? await mkdtemp(path.join(os.tmpdir(), 'postgres-'))
      : await openFolder(account, [os.tmpdir(), '/tmp', '/var/tmp'])
  let running: RunningCluster | undefined
  // The last resort when the process ends without `stop`: an immediate shutdown of the server.
  const abandon = () => {
    running?.kill()
    rmSync(folder, removal)
  }
  process.once('exit', abandon)
  const stop = async () => {
    await running?.stop()
    process.off('exit', abandon)
    await rm(folder, removal)
  }
  try {
    await ownFolder(folder, account)
    let binaries = given ?? (await embeddedBinaries())
    if (account !== undefined && !(await mayRun(account, binaries.initdb)))
      binaries = await copyBinaries(binaries, folder)
    const superuserPassword = randomBytes(16).toString('hex')
    const place = { binaries, account, data: path.join(folder, 'data'), superuserPassword }
    await createCluster(place)
    const options = {
      port: await freePort(),
      logFile: path.join(folder, 'postgres.log'),
      settings: { fsync: 'off', full_page_writes: 'off', max_connections: 300, ...settings },
    }
    running = await startCluster(place, options)
    const restart = async (signal: NodeJS.Signals) => {
      await endWith(running, signal)
      running = await persist(() => startCluster(place, options))
    }
    return { ...running, stop, restart } satisfies TemporaryCluster
  } catch (error) {
    await stop()
    throw error
  }
}

async function endWith(running: RunningCluster | undefined, signal: NodeJS.Signals): Promise<void> {
  if (running === undefined || running.child.exitCode !== null || running.child.signalCode !== null) return
  running.child.kill(signal)
  await once(running.child, 'exit')
}

const persistenceMs = 10_000

/** The processes of a server that was killed take a moment to notice, and keep the next one from starting. */
async function persist<T>(start: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + persistenceMs; ; await sleep(100)) {
    try {
      return await start()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
