import { mkdirSync, realpathSync } from 'node:fs'
import { loadConfig } from '#platform/config.ts'
import { bringUp } from './start/bring-up.ts'
import { watchNpm } from './start/parent.ts'

const doubleSignalMs = 1_000

/** `npm start`: everything on one machine; Ctrl-C ends it. */
const stopping = new AbortController()
const stops: (() => Promise<void>)[] = []
let hurry = (): void => undefined

listenForTheEnd()
try {
  const config = loadConfig(process.env)
  mkdirSync(config.DATA_DIR, { recursive: true })
  // Whatever the database: the demo key must not face a network unless somebody says so.
  const HOST = config.NODE_ENV === 'production' ? config.HOST : process.env.HOST || '127.0.0.1'
  const settings = { ...config, HOST, DATA_DIR: realpathSync(config.DATA_DIR) }
  const running = await bringUp(settings, process.env, {
    say: (line) => process.stdout.write(`${line}\n`),
    signal: stopping.signal,
    onStop: (stop) => stops.push(stop),
  })
  hurry = running.hurry
  await new Promise<void>((resolve) => {
    if (stopping.signal.aborted) resolve()
    stopping.signal.addEventListener('abort', () => resolve())
  })
} catch (error) {
  if (!stopping.signal.aborted) {
    process.exitCode = 1
    process.stderr.write(`purser: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}\n`)
  }
}
for (const stop of stops.reverse()) await stop()
process.exit()

/** A signal, a closed terminal or the end of npm, which may be killed without passing anything on. */
function listenForTheEnd(): void {
  let askedAt = 0
  const end = () => {
    // A terminal and npm both pass Ctrl-C on: only a later signal means impatience.
    if (stopping.signal.aborted && Date.now() - askedAt > doubleSignalMs) hurry()
    if (!stopping.signal.aborted) askedAt = Date.now()
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  // What is left to say may find the terminal closed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32') watchNpm(end)
}
