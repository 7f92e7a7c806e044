import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { LogLine } from './captured-log.ts'

/** A process of the service, started from its entry file, and all it has written. */
export interface Launched {
  readonly child: ChildProcess
  readonly stderr: () => string
  /** The lines of its log so far. */
  readonly log: () => readonly LogLine[]
  /** What it says to its parent when it is ready; throws when it ends before. */
  readonly ready: Promise<{ readonly url?: string }>
  /** Its exit code, once it has ended by itself. */
  readonly ended: Promise<number | null>
}

const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env
/** What a process under test has of the environment of its test; its modules are compiled already. */
export const inherited = { PATH, NODE_COMPILE_CACHE } as const

/** Starts `entry` with these variables and no others; it is killed when `t` ends. */
export function launch(
  t: Test,
  entry: 'server.ts' | 'worker.ts',
  env: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): Launched {
  const file = fileURLToPath(new URL(`../${entry}`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=purser-source', ...nodeOptions, file], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...inherited, HOST: '127.0.0.1', PORT: '0', ...env },
  })
  const written = { out: '', err: '' }
  child.stdout?.on('data', (data) => {
    written.out += data
  })
  child.stderr?.on('data', (data) => {
    written.err += data
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const ready = Promise.race([
    once(child, 'message').then(([message]) => message as { url?: string }),
    ended.then((code) => {
      throw new Error(`${entry} ended with ${code} before it was ready: ${written.err}`)
    }),
  ])
  ready.catch(() => {})
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const log = () =>
    written.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine)
  return { child, stderr: () => written.err, log, ready, ended }
}
