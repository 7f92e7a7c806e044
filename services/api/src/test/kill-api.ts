import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { harness } from './harness.ts'
import { type Load, placedOnce, startLoad, stockUp } from './order-load.ts'
import { freePort, startServer } from './server-process.ts'

const minInFlight = 8

/** Kills the API `kills` times under load and checks that every order exists once, as its client was told. */
export async function killApiUnderLoad(t: Test, kills: number): Promise<void> {
  const { tenant, databaseUrl, db } = await harness(t)
  await stockUp(tenant)
  const port = await freePort()
  // Clients that knock at a closed door without a pause keep the next process from starting.
  const load = startLoad(t, { port, tenants: [tenant], clients: 24, patienceMs: 400, random: Math.random })
  let server = await startServer(t, databaseUrl, port)
  for (let kill = 1; kill <= kills; kill++) {
    const [inFlight, unknown] = await killOnce(load, server.kill)
    t.ok(inFlight >= minInFlight, `kill ${kill}: ${inFlight} requests were in flight`)
    t.ok(unknown >= 1, `kill ${kill}: ${unknown} outcomes were unknown`)
    server = await startServer(t, databaseUrl, port)
  }
  await delay(300)
  await load.finish()
  await placedOnce(t, load, db)
  t.comment(`${load.acknowledged.size} orders, ${load.unknown} unknown outcomes`)
}

/** Waits for load, kills, and waits until the broken requests have been noticed. */
async function killOnce(load: Load, kill: () => Promise<void>): Promise<[number, number]> {
  const before = load.acknowledged.size
  while (load.acknowledged.size < before + 50) await delay(5)
  while (load.inFlight < minInFlight + 4) await delay(1)
  const unknownBefore = load.unknown
  const { inFlight } = load
  await kill()
  while (load.unknown === unknownBefore) await delay(5)
  return [inFlight, load.unknown - unknownBefore]
}
