import type { Test } from 'tap'
import type { Harness } from './harness.ts'
import { type Launched, launch } from './launched.ts'
import { freePort } from './server-process.ts'
import { reachable } from './webhook-endpoints.ts'

/** The service as it runs in production, one API and two workers, to be killed and started again. */
export interface KillableService {
  readonly port: number
  /** Kills the API without warning; resolves when it is gone. */
  killApi(): Promise<void>
  startApi(): Promise<void>
  /** Kills the worker with this process id without warning; resolves when it is gone. */
  killWorker(pid: number): Promise<void>
  startWorker(): Promise<void>
  /** Process ids of the workers that run. */
  workers(): readonly number[]
  /** What processes have ended by themselves, and what they said on stderr. */
  deaths(): readonly string[]
  /** How often which message was logged at these levels, by all that ever ran. */
  said(levels: readonly string[]): Readonly<Record<string, number>>
}

export async function killableService(t: Test, { runtime, databaseUrl }: Harness): Promise<KillableService> {
  const { ENCRYPTION_KEY, LEDGER_SIGNING_KEY } = runtime.config
  const keys = { ENCRYPTION_KEY, LEDGER_SIGNING_KEY }
  const env = { ...reachable, ...keys, DATABASE_URL: databaseUrl, LOG_LEVEL: 'warn', RATE_LIMIT_PER_KEY: '1000000' }
  const port = await freePort()
  const launched: Launched[] = []
  const killed = new Set<Launched>()
  const workers = new Map<number, Launched>()
  let api: Launched | undefined

  async function start(entry: 'server.ts' | 'worker.ts'): Promise<Launched> {
    const process = launch(t, entry, { ...env, PORT: String(port) })
    await process.ready
    launched.push(process)
    return process
  }
  async function kill(process: Launched | undefined): Promise<void> {
    if (process === undefined) throw new Error('there is nobody to kill')
    killed.add(process)
    process.child.kill('SIGKILL')
    await process.ended
  }
  const service: KillableService = {
    port,
    killApi: () => kill(api),
    async startApi() {
      api = await start('server.ts')
    },
    async killWorker(pid) {
      const worker = workers.get(pid)
      workers.delete(pid)
      await kill(worker)
    },
    async startWorker() {
      const worker = await start('worker.ts')
      workers.set(worker.child.pid ?? 0, worker)
    },
    workers: () => [...workers.keys()],
    deaths: () =>
      launched
        .filter((process) => process.stderr() !== '' || (process.child.exitCode !== null && !killed.has(process)))
        .map(({ child, stderr }) => `${child.spawnargs.at(-1)}: exit code ${child.exitCode}, ${stderr()}`),
    said(levels) {
      const counts: Record<string, number> = {}
      for (const { level, message } of launched.flatMap((process) => process.log()))
        if (levels.includes(String(level))) counts[String(message)] = (counts[String(message)] ?? 0) + 1
      return counts
    },
  }
  await Promise.all([service.startApi(), service.startWorker(), service.startWorker()])
  return service
}
