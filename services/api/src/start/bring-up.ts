import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '#platform/config.ts'
import { banner } from './banner.ts'
import { type DatabaseContext, givenDatabase, ownDatabase } from './database.ts'
import { seedDemo, writeDemoFile } from './demo.ts'
import { claimInstance } from './instance.ts'
import { checkPort } from './reachable.ts'
import { startServices } from './services.ts'

type Env = Readonly<Record<string, string | undefined>>
type Surroundings = Omit<DatabaseContext, 'config' | 'instance'>

/** Brings everything up in order and says where to look. `onStop` collects what ends it again, in reverse. */
export async function bringUp(config: Config, env: Env, surroundings: Surroundings): Promise<{ hurry(): void }> {
  const startedAt = performance.now()
  const { say, signal, onStop } = surroundings
  const instance = await claimInstance(config.DATA_DIR)
  onStop(async () => instance.release())
  const logFolder = path.join(config.DATA_DIR, 'logs')
  mkdirSync(logFolder, { recursive: true, mode: 0o700 })
  if (config.PORT !== 0) await checkPort(config.HOST, config.PORT)
  const context = { config, instance, ...surroundings }
  const database = await (config.DATABASE_URL === '' ? ownDatabase(context) : givenDatabase(context))
  signal.throwIfAborted()

  const services = startServices({ ...context, env, database, logFolder })
  const isProduction = config.NODE_ENV === 'production'
  const [url, seeded] = await Promise.all([
    services.ready,
    isProduction ? undefined : seedDemo({ ...config, DATABASE_URL: database.serverUrl }),
  ])
  signal.throwIfAborted()
  for (const warning of services.warnings()) say(`warning: ${warning}`)
  const demo = seeded === undefined ? undefined : { url, ...seeded }
  if (demo !== undefined) await writeDemoFile(config.DATA_DIR, demo)
  say(banner({ url, demo, logFolder, startedInMs: performance.now() - startedAt }))
  return services
}
