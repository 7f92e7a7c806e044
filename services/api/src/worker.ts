import { watchDeaths } from '#features/jobs/index.ts'
import { startSender } from '#features/webhook-delivery/index.ts'
import { loadConfig } from '#platform/config.ts'
import { runJobs } from '#platform/job-runner.ts'
import { failToStart, stopGracefully } from '#platform/lifecycle.ts'
import { spareFullCollections } from '#platform/memory.ts'
import { startRelay } from '#platform/relay/relay.ts'
import { allJobs, createRuntime } from './runtime.ts'

/** Entry of the worker process: configuration → runtime → relay and jobs → graceful stop. */
async function main(): Promise<void> {
  spareFullCollections({ growthPercent: 100 })
  const config = loadConfig(process.env)
  if (config.DATABASE_URL === '') throw new Error('DATABASE_URL is not set; `npm start` brings a database of its own')
  const runtime = createRuntime(config, { process: 'worker' })
  const { log, jobs, outbound, ledgerSignal, database, alerts } = runtime
  await jobs.start()
  const running = await runJobs({ ...runtime, queue: jobs, jobs: allJobs })
  const relay = startRelay(runtime)
  const sender = startSender(runtime)
  const watch = watchDeaths(runtime)
  log.info({ jobs: allJobs.map(({ name }) => name) }, 'working')
  process.send?.({ ready: true })
  stopGracefully(log, config.SHUTDOWN_GRACE_MS, async () => {
    await Promise.all([relay.stop(), running.stop(), watch.stop(), sender.stop()])
    outbound.close()
    await jobs.stop()
    await ledgerSignal.close()
    await database.close()
    await alerts.close()
  })
}

main().catch(failToStart)
