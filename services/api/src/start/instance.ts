import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The one `npm start` of a data folder, and the processes it answers for. */
export interface Instance {
  /** Remembers a process, so that the next start finds it if this one is killed. */
  remember(name: string, pid: number | undefined): void
  forget(name: string): void
  release(): void
}

interface Orphan {
  readonly name: string
  /** What asks the process to end, and how long it gets before the second signal. */
  readonly signals: readonly [NodeJS.Signals, NodeJS.Signals]
  readonly graceMs: number
}

const orphans: readonly Orphan[] = [
  { name: 'server', signals: ['SIGTERM', 'SIGKILL'], graceMs: 3_000 },
  { name: 'worker', signals: ['SIGTERM', 'SIGKILL'], graceMs: 3_000 },
  { name: 'postgres', signals: ['SIGINT', 'SIGQUIT'], graceMs: 10_000 },
]

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
    if (pid !== undefined) writeFileSync(file(name), `${pid} ${identity(pid)}\n`, { mode: 0o600 })
  }
  const forget = (name: string) => rmSync(file(name), { force: true })
  remember('start', process.pid)
  for (const orphan of orphans) {
    await end(file(orphan.name), orphan)
    forget(orphan.name)
  }
  return { remember, forget, release: () => forget('start') }
}

async function end(file: string, { name, signals, graceMs }: Orphan): Promise<void> {
  const pid = living(file)
  if (pid === undefined) return
  for (const signal of signals) {
    process.kill(pid, signal)
    for (const deadline = Date.now() + graceMs; Date.now() < deadline; await sleep(20))
      if (living(file) === undefined) return
  }
  throw new Error(`the ${name} of an earlier start (process ${pid}) does not end`)
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
  return known !== '' && identity(Number(pid)) === known ? Number(pid) : undefined
}

/** Something that differs when the same id is given to another process: its start time. Empty: there is none. */
function identity(pid: number): string {
  try {
    if (process.platform === 'linux') {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
      return fields[0] === 'Z' ? '' : (fields[19] ?? '')
    }
    if (process.platform !== 'win32')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    process.kill(pid, 0)
    return 'alive'
  } catch {
    return ''
  }
}
