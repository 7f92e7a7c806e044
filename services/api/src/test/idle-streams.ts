import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { nodeOptions } from '#platform/memory.ts'
import { harness } from './harness.ts'
import { type Launched, launch } from './launched.ts'
import { until } from './until.ts'

const mostBytesEach = 20_480
const production = {
  NODE_ENV: 'production',
  // How long it takes to open them is not the matter here.
  DB_ACQUIRE_TIMEOUT_MS: '30000',
  CORS_ORIGINS: 'none',
  SIGNING_SECRET: randomBytes(32).toString('hex'),
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  LEDGER_SIGNING_KEY: randomBytes(32).toString('base64'),
}
/** Collects the heap when it is told to, and says so. */
const collector = 'process.on("message", () => { gc(); process.send("collected") })'
const collectable = ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(collector)}`]
/** As large from the start as many streams would make it: it is there once, whoever opens how many. */
const grownYoungGeneration = nodeOptions.replace('--max-', '--min-')

/** What idle streams cost the HTTP process: its resident memory with them against without. */
export async function idleStreams(t: Test, count: number): Promise<void> {
  const { databaseUrl, tenant } = await harness(t)
  const most = String(2 * count)
  const limits = { STREAMS_PER_KEY: most, STREAMS_PER_ORGANIZATION: most, RATE_LIMIT_PER_KEY: most }
  const env = { ...production, ...limits, DATABASE_URL: databaseUrl }
  const server = launch(t, 'server.ts', env, [nodeOptions, grownYoungGeneration, ...collectable])
  const { url = '' } = await server.ready
  // What the first streams load and compile is not the price of one more.
  const first = await openStreams(t, url, tenant.key, 100)
  await settle(server)
  for (const socket of first) socket.destroy()
  await settle(server)
  const before = residentBytes(server)
  const sockets = await openStreams(t, url, tenant.key, count)
  await settle(server)
  const each = Math.round((residentBytes(server) - before) / count)
  t.comment(
    `| ${count} idle streams: ${each} bytes of resident memory each, ${(before / 2 ** 20).toFixed(1)} MiB without them |`,
  )
  t.ok(each <= mostBytesEach, `${each} of ${mostBytesEach} bytes each`)
  t.notOk(
    sockets.some(({ destroyed }) => destroyed),
    'all of them are open',
  )
}

async function openStreams(t: Test, url: string, key: string, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url)
  let opened = 0
  const sockets: Socket[] = []
  for (let index = 0; index < count; index++) {
    const socket = connect(Number(port), hostname)
    socket
      .on('error', () => {})
      .once('data', (bytes) => {
        if (/^HTTP\/1.1 200 /.test(String(bytes))) opened++
      })
    socket.write(`GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`)
    sockets.push(socket)
    if (index % 10 === 9) await until('they are open', () => opened === sockets.length)
  }
  await until('all are open', () => opened === count)
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

/** Past the handling limit and a heartbeat, so that nothing counts but what a stream keeps. */
async function settle({ child }: Launched): Promise<void> {
  await sleep(12_000)
  for (let round = 0; round < 3; round++) {
    child.send('collect')
    await once(child, 'message')
    await sleep(200)
  }
}

function residentBytes({ child }: Launched): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1_024
}
