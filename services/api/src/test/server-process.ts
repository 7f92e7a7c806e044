import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { inherited } from './launched.ts'

const entry = fileURLToPath(new URL('../server.ts', import.meta.url))

/** The HTTP process, started from its entry file as in production. */
export interface ServerProcess {
  readonly url: string
  readonly child: ChildProcess
  /** Kills it without warning and waits until it is gone. */
  kill(): Promise<void>
}

/** Starts the server on `port` and resolves when it listens. It is killed when `t` ends. */
export async function startServer(
  t: Test,
  databaseUrl: string,
  port: number,
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--conditions=purser-source', entry], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...inherited,
      DATABASE_URL: databaseUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'silent',
      RATE_LIMIT_PER_KEY: '1000000',
      ...env,
    },
  })
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.teardown(kill)
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [null])])
  if (message === null) throw new Error(`the server ended with ${child.exitCode} before it listened`)
  return { url: (message as { url: string }).url, child, kill }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
