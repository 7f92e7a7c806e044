import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { mayRun, openFolder, ordinaryAccount } from './account.ts'
import { copyBinaries, embeddedBinaries } from './binaries.ts'
import { createCluster, freePort, ownFolder, type RunningCluster, startCluster } from './cluster.ts'

const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }

/** A cluster for tests and code generation: fast, not durable, gone with its files after `stop`. */
export async function temporaryCluster(settings: Readonly<Record<string, string | number>> = {}) {
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
    let binaries = await embeddedBinaries()
    if (account !== undefined && !(await mayRun(account, binaries.initdb)))
      binaries = await copyBinaries(binaries, folder)
    const superuserPassword = randomBytes(16).toString('hex')
    const place = { binaries, account, data: path.join(folder, 'data'), superuserPassword }
    await createCluster(place)
    running = await startCluster(place, {
      port: await freePort(),
      logFile: path.join(folder, 'postgres.log'),
      settings: { fsync: 'off', full_page_writes: 'off', max_connections: 300, ...settings },
    })
    return { ...running, stop } satisfies RunningCluster
  } catch (error) {
    await stop()
    throw error
  }
}
