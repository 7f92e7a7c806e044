import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Instance } from './instance.ts'

const stopTimeoutMs = 20_000
const firstPauseMs = 500
const longestPauseMs = 10_000
const largestLogBytes = 20 * 1024 * 1024

export interface Stoppable {
  /** Ends in good order and resolves when nothing is left. */
  stop(): Promise<void>
  /** Ends at once. */
  kill(): void
}

/** Something that runs, ends and can be started again. */
export interface Running extends Stoppable {
  readonly child: ChildProcess
  /** Why it ended by itself, in a few words. */
  failure(): string
}

/**
 * Keeps a process running: says in one line when it ended and starts it again, waiting longer each time.
 * The first start is the caller's, who has to see it fail.
 */
export function supervise(
  name: string,
  first: Running,
  start: () => Running | Promise<Running>,
  { instance, say }: { instance: Instance; say: (line: string) => void },
): Stoppable {
  const stopping = new AbortController()
  let current = first
  const watch = async () => {
    let pauseMs = firstPauseMs
    for (;;) {
      instance.remember(name, current.child.pid)
      const startedAt = Date.now()
      await ended(current.child)
      if (stopping.signal.aborted) return
      if (Date.now() - startedAt > longestPauseMs) pauseMs = firstPauseMs
      say(`${name} ended (${current.failure()}); starting it again`)
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      current = await Promise.resolve()
        .then(start)
        .catch(() => current)
      if (stopping.signal.aborted) return current.stop()
    }
  }
  const watching = watch()
  return {
    async stop() {
      stopping.abort()
      await current.stop()
      await watching
      instance.forget(name)
    },
    kill: () => current.kill(),
  }
}

export interface Service extends Running {
  /** Where it listens, once it says so. */
  readonly url: Promise<string>
  /** What it has complained about since it started. */
  warnings(): readonly string[]
}

/** Starts `server` or `worker`; what it writes goes to a log file, which outlives this process. */
export function startService(
  name: string,
  logFile: string,
  env: Readonly<Record<string, string | undefined>>,
): Service {
  const { log, size } = openLog(logFile)
  const preload = new URL('follow-parent.ts', import.meta.url).href
  const program = fileURLToPath(new URL(`../${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import', preload, program], {
    env,
    // Its own process group: Ctrl-C reaches it once, through this process.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  const url = new Promise<string>((resolve) => {
    child.on('message', (message: { url?: unknown }) => typeof message.url === 'string' && resolve(message.url))
  })
  const lines = () => readFileSync(logFile).subarray(size).toString().split('\n')
  return {
    child,
    url,
    failure: () => child.signalCode ?? failureOf(lines()) ?? `exit code ${child.exitCode}, see ${logFile}`,
    kill: () => void child.kill('SIGKILL'),
    warnings: () => lines().flatMap((line) => (isWarning(line) ? [messageOf(line)] : [])),
    async stop() {
      child.kill('SIGTERM')
      const overdue = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await ended(child)
      clearTimeout(overdue)
    },
  }
}

export const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit')

function openLog(file: string): { log: number; size: number } {
  const sizeOf = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (sizeOf() > largestLogBytes) renameSync(file, `${file}.old`)
  return { log: openSync(file, 'a', 0o600), size: sizeOf() }
}

/** The most severe thing the process said: its own last words, its last fatal line, or its last error. */
function failureOf(lines: readonly string[]): string | undefined {
  const lastWords = lines.findLast((line) => line.startsWith('purser: '))
  if (lastWords !== undefined) return lastWords.slice('purser: '.length)
  const last = lines.findLast((line) => isAt(line, ['fatal'])) ?? lines.findLast((line) => isAt(line, ['error']))
  return last === undefined ? lines.find((line) => /\b\w*Error\b.*:/.test(line)) : messageOf(last)
}

const isWarning = (line: string): boolean => isAt(line, ['warn', 'error', 'fatal'])
const isAt = (line: string, levels: readonly string[]): boolean =>
  levels.some((level) => line.startsWith('{') && line.includes(`"level":"${level}"`))

function messageOf(line: string): string {
  try {
    const { message, err } = JSON.parse(line) as { message?: string; err?: { message?: string } }
    return [message, err?.message].filter((text) => text !== undefined && text !== '').join(': ')
  } catch {
    return line
  }
}
