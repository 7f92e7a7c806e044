import { loadConfig } from '#platform/config.ts'
import { failToStart, stopGracefully } from '#platform/lifecycle.ts'
import { spareFullCollections } from '#platform/memory.ts'
import { buildApp } from './app.ts'
import { createRuntime } from './runtime.ts'

/** Entry of the HTTP process: configuration → runtime → app → listen → graceful stop. */
async function main(): Promise<void> {
  spareFullCollections({ growthPercent: 50 })
  const config = loadConfig(process.env)
  if (config.DATABASE_URL === '') throw new Error('DATABASE_URL is not set; `npm start` brings a database of its own')
  const runtime = createRuntime(config, { process: 'server' })
  const { log, jobs, ledgerSignal, eventSignal, database, alerts } = runtime
  const app = await buildApp(runtime)
  await jobs.start()
  await app.http.listen({ host: config.HOST, port: config.PORT })
  const url = app.http.kernel.baseUrl()
  log.info({ url }, 'listening')
  process.send?.({ url })
  stopGracefully(log, config.SHUTDOWN_GRACE_MS, async () => {
    app.drain()
    const deadline = setTimeout(() => app.http.server.closeAllConnections(), config.SHUTDOWN_GRACE_MS)
    await app.http.close()
    clearTimeout(deadline)
    await Promise.all([jobs.stop(), ledgerSignal.close(), eventSignal.close()])
    await database.close()
    await alerts.close()
  })
}

main().catch(failToStart)
