import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '#platform/config.ts'
import { banner, type Demo } from './banner.ts'
import { type DatabaseContext, givenDatabase, ownDatabase } from './database.ts'
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
  await checkPort(config.HOST, config.PORT)
  const context = { config, instance, ...surroundings }
  // Loading the features takes as long as creating a cluster, which happens in another process meanwhile.
  const seed = config.NODE_ENV === 'production' ? undefined : loadSeed(config)
  seed?.catch(() => undefined)
  const database = await (config.DATABASE_URL === '' ? ownDatabase(context) : givenDatabase(context))
  signal.throwIfAborted()

  const services = startServices({ ...context, env, database, logFolder })
  const [url, remember] = await Promise.all([services.ready, seed?.then((run) => run(database.serverUrl))])
  signal.throwIfAborted()
  for (const warning of services.warnings()) say(`warning: ${warning}`)
  const demo = await remember?.(url)
  say(banner({ url, demo, logFolder, startedInMs: performance.now() - startedAt }))
  return services
}

/** Seeds, then writes demo.json with the address under which the server is found. */
async function loadSeed(config: Config): Promise<(databaseUrl: string) => Promise<(url: string) => Promise<Demo>>> {
  const { readDemoFile, seedDemo, writeDemoFile } = await import('./demo.ts')
  const write = async (demo: Demo) => {
    await writeDemoFile(config.DATA_DIR, demo)
    return demo
  }
  return async (databaseUrl) => {
    const known = await readDemoFile(config.DATA_DIR)
    const access = await seedDemo({ ...config, DATABASE_URL: databaseUrl }, known, async (found) => {
      await write({ url: '', ...found })
    })
    return (url) => write({ url, ...access })
  }
}
