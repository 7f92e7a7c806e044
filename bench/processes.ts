import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readdirSync, readFileSync } from 'node:fs'
import { ended } from '../services/api/src/start/processes.ts'

/** Ticks of a second in /proc: USER_HZ, which Linux fixes at 100 for user space. */
const ticksPerSecond = 100
const kill = 'SIGKILL'

export interface NodeService {
  readonly url: string
  readonly pid: number
  /** Ends it in good order. */
  stop(): Promise<void>
}

export interface Launch {
  readonly program: URL
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** Ends it at once. */
  readonly signal: AbortSignal
}

/** Starts a Node program that sends `{ url }` once it listens. It ends with this process, whatever ends that. */
export async function startNode({ program, env, logFile, signal }: Launch): Promise<NodeService> {
  signal.throwIfAborted()
  const log = openSync(logFile, 'a', 0o600)
  const preload = new URL('../services/api/src/start/follow-parent.ts', import.meta.url).href
  const child = spawn(process.execPath, ['--import', preload, program.pathname], {
    env: { PATH: process.env.PATH ?? '', ...env },
    // Its own process group: Ctrl-C reaches it through this process.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  endWith(signal, child)
  const late = AbortSignal.any([signal, AbortSignal.timeout(30_000)])
  const message = once(child, 'message', { signal: late }).then(([said]) => said as { url: string })
  const end = ended(child).then(() => undefined)
  const said = await Promise.race([message, end])
  if (said === undefined)
    throw new Error(`${program.pathname} did not start: ${readFileSync(logFile, 'utf8').slice(-500)}`)
  return {
    url: said.url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      const overdue = setTimeout(() => child.kill(kill), 20_000)
      await ended(child)
      clearTimeout(overdue)
    },
  }
}

/**
 * Runs a program to its end and returns its standard output.
 * @throws Error with what it said when it fails, takes longer than `timeoutMs` or is interrupted.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly timeoutMs: number
    readonly signal: AbortSignal
  },
): Promise<string> {
  options.signal.throwIfAborted()
  const env = { PATH: process.env.PATH ?? '', ...options.env }
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  endWith(AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]), child)
  const output: string[] = []
  const errors: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  const [code, signalName] = (await once(child, 'close')) as [number | null, string | null]
  options.signal.throwIfAborted()
  if (code !== 0)
    throw new Error(`${program} ended with ${code ?? signalName}: ${(errors.join('') || output.join('')).slice(-800)}`)
  return output.join('')
}

function endWith(signal: AbortSignal, child: ChildProcess): void {
  const end = () => void child.kill(kill)
  signal.addEventListener('abort', end, { once: true })
  process.once('exit', end)
  child.once('exit', () => {
    signal.removeEventListener('abort', end)
    process.off('exit', end)
  })
}

/** Processor time of one process with all its threads, in microseconds. */
export function cpuOf(pid: number): number {
  const { own } = timesOf(pid)
  return own
}

/** Processor time of PostgreSQL: the postmaster, every process it has, and those that have ended. */
export function cpuOfPostgres(postmaster: number): number {
  const { own, ended: gone } = timesOf(postmaster)
  const running = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const children = running.map((name) => {
    try {
      const times = timesOf(Number(name))
      return times.parent === postmaster ? times.own : 0
    } catch {
      return 0
    }
  })
  return children.reduce((sum, time) => sum + time, own + gone)
}

interface Times {
  readonly parent: number
  readonly own: number
  /** Of its children that have ended. */
  readonly ended: number
}

function timesOf(pid: number): Times {
  // The name in parentheses may itself hold spaces and parentheses; the fields after it do not.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  const at = (index: number) => (Number(fields[index]) * 1_000_000) / ticksPerSecond
  return { parent: Number(fields[1]), own: at(11) + at(12), ended: at(13) + at(14) }
}

/** Share of the processors that the host of a virtual machine gave to others since the call. */
export function watchHost(): { stolenShare(): number } {
  const before = hostTimes()
  return {
    stolenShare() {
      const { all, stolen } = hostTimes()
      return (stolen - before.stolen) / (all - before.all)
    },
  }
}

function hostTimes(): { readonly all: number; readonly stolen: number } {
  const times = readFileSync('/proc/stat', 'latin1').split('\n')[0]?.split(/ +/).slice(1, 9).map(Number) ?? []
  return { all: times.reduce((sum, time) => sum + time, 0), stolen: times[7] ?? 0 }
}

/** Resident memory of a process now and at its highest, in MB. */
export function memoryOf(pid: number): { readonly residentMb: number; readonly highestMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 102.4) / 10
  return { residentMb: read('VmRSS'), highestMb: read('VmHWM') }
}
