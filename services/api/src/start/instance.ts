import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findProcess } from './process-table.ts'

/** The one `npm start` of a data folder, and the processes it answers for. */
export interface Instance {
  /** Remembers a process, so that the next start finds it if this one is killed. */
  remember(name: string, pid: number | undefined): void
  forget(name: string): void
  release(): void
}

const graceMs = 3_000

/**
 * Claims the data folder and ends what a killed start has left running in it.
 * @throws if another start of the same folder is alive.
 */
export async function claimInstance(dataFolder: string): Promise<Instance> {
  const folder = path.join(dataFolder, 'run')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = (name: string) => path.join(folder, `${name}.pid`)
  const holder = living(file('start'))
  if (holder !== undefined)
    throw new Error(`Purser already runs from ${dataFolder} (process ${holder}): stop it, or set another DATA_DIR`)
  const remember = (name: string, pid: number | undefined) => {
    if (pid !== undefined) writeFileSync(file(name), `${pid} ${findProcess(pid)?.startedAt}\n`, { mode: 0o600 })
  }
  const forget = (name: string) => rmSync(file(name), { force: true })
  remember('start', process.pid)
  for (const name of ['server', 'worker']) {
    const pid = living(file(name))
    if (pid !== undefined) await endProcess(pid, ['SIGTERM', 'SIGKILL'], graceMs)
    forget(name)
  }
  return { remember, forget, release: () => forget('start') }
}

/** Ends a process that is no child of this one: asks with the first signal and insists with the second. */
export async function endProcess(
  pid: number,
  signals: readonly [NodeJS.Signals, NodeJS.Signals],
  timeoutMs: number,
): Promise<void> {
  const startedAt = findProcess(pid)?.startedAt
  for (const signal of signals) {
    if (findProcess(pid)?.startedAt !== startedAt) return
    process.kill(pid, signal)
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(20))
      if (findProcess(pid)?.startedAt !== startedAt) return
  }
  throw new Error(`process ${pid} of an earlier start does not end`)
}

/** The process a file names, if it still is that one: ids are used again. */
function living(file: string): number | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
  const [pid = '', ...rest] = text.split(' ')
  const known = rest.join(' ')
  return findProcess(Number(pid))?.startedAt === known ? Number(pid) : undefined
}
