import path from 'node:path'
import { nodeOptions } from '#platform/memory.ts'
import type { DatabaseContext, PreparedDatabase } from './database.ts'
import { ended, type Service, type Stoppable, startService, supervise } from './processes.ts'
import { untilReady } from './reachable.ts'

export interface Services {
  /** The server's address once it is ready; rejects when it ends instead. */
  readonly ready: Promise<string>
  warnings(): readonly string[]
  /** Ends both at once, for somebody who will not wait for open requests. */
  hurry(): void
}

export interface ServicesContext extends DatabaseContext {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly database: PreparedDatabase
  readonly logFolder: string
}

/** Starts server and worker as processes of their own; they drain at the same time when everything stops. */
export function startServices(context: ServicesContext): Services {
  const { config, env, database, logFolder, instance, signal, onStop } = context
  let port = config.PORT
  const defaults = { NODE_OPTIONS: nodeOptions, NODE_COMPILE_CACHE: path.resolve(config.DATA_DIR, 'compiled') }
  const start = (name: string, own: Readonly<Record<string, string>>) =>
    startService(name, path.join(logFolder, `${name}.log`), { ...defaults, ...env, ...own })
  const startServer = () => start('server', { DATABASE_URL: database.serverUrl, HOST: config.HOST, PORT: String(port) })
  const startWorker = () => start('worker', { DATABASE_URL: database.workerUrl, HOST: config.HOST })

  const server = startServer()
  instance.remember('server', server.child.pid)
  const running: Record<string, Stoppable> = { server }
  onStop(async () => {
    await Promise.all(Object.values(running).map((service) => service.stop()))
    instance.forget('server')
  })
  const ready = firstUrl(server, signal).then((url) => {
    signal.throwIfAborted()
    // Started again it must be found where the banner says.
    port = Number(new URL(url).port || 80)
    running.server = supervise('server', server, startServer, context)
    // Not earlier: both would start more slowly, and nobody waits for the worker.
    running.worker = supervise('worker', startWorker(), startWorker, context)
    return url
  })
  const hurry = () => {
    for (const service of Object.values(running)) service.kill()
  }
  return { ready, warnings: server.warnings, hurry }
}

async function firstUrl(server: Service, signal: AbortSignal): Promise<string> {
  const gone = ended(server.child).then(() => {
    throw new Error(`the server did not start: ${server.failure()}`)
  })
  const url = await Promise.race([server.url, gone])
  await Promise.race([untilReady(url, signal), gone])
  return url
}
