import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { nodeOptions } from '#platform/memory.ts'
import { harness } from './harness.ts'
import { launch } from './launched.ts'
import { median } from './quantiles.ts'
import { relay } from './relayed.ts'
import { followStream } from './stream-reader.ts'
import { until } from './until.ts'

const stopped = 10
const perRound = 16
const bufferBytes = 1_048_576
/** Their buffers, and twice that for what waits to be collected: less than what is sent before they are closed. */
const mostGrowthBytes = 3 * stopped * bufferBytes

t.test('readers that stop reading are closed; neither memory nor the others notice', async (t) => {
  const h = await harness(t, { env: { BODY_LIMIT_BYTES: '4194304' } })
  const { as, tenant, databaseUrl } = h
  await relay(h)
  const env = { DATABASE_URL: databaseUrl, STREAM_STALL_MS: '30000', STREAM_BUFFER_BYTES: String(bufferBytes) }
  const server = launch(t, 'server.ts', { ...env, LOG_LEVEL: 'silent' }, [nodeOptions])
  const { url = '' } = await server.ready
  const pid = server.child.pid ?? 0
  const headers = { authorization: `Bearer ${tenant.key}` }
  const reading = await followStream(t, `${url}/v1/events/stream`, headers)
  let round = 0
  /** Events of 1.6 MB; how long it took from their numbers to the reader. */
  const change = async (): Promise<number> => {
    round++
    const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`key-${at}`, 'x'.repeat(1_000)]))
    const products = Array.from({ length: perRound }, (_, at) => ({
      sku: `S-${at}`,
      title: `${round}`,
      prices: [],
      attributes,
    }))
    await as(tenant.key).post('/v1/products/batch', { products })
    await relay(h)
    const from = performance.now()
    await until('the reader has it', () => reading.events.length === perRound * round)
    return performance.now() - from
  }
  const several = async (count: number) => {
    const times: number[] = []
    for (let index = 0; index < count; index++) times.push(await change())
    return times
  }

  await several(5)
  const alone = await several(15)
  const before = residentBytes(pid)
  for (let index = 0; index < stopped; index++) await stopReading(t, url, tenant.key)
  await until('they are open', () => openConnections(url) === 1 + stopped)
  const beside: number[] = []
  let most = before
  while (openConnections(url) > 1 && round < 500) {
    beside.push(await change())
    most = Math.max(most, residentBytes(pid))
    await sleep(50)
  }
  const after = await several(10)
  t.equal(openConnections(url), 1, 'all of them are closed')
  t.notOk(reading.ended())
  const growth = most - before
  const sentBytes = beside.length * perRound * 100_000
  t.ok(sentBytes > 1.2 * mostGrowthBytes, 'more was sent than may be kept')
  t.ok(growth <= mostGrowthBytes, `${mebibytes(growth)} of ${mebibytes(mostGrowthBytes)} MiB more at most`)
  t.ok(median(beside) <= 2 * median(alone) + 50, 'the other reader waits no longer')
  t.comment(
    `| ${stopped} readers that stopped: closed after ${mebibytes(sentBytes)} MiB; at most ${mebibytes(growth)} MiB more; the other reader waited ${[alone, beside, after].map((times) => Math.round(median(times))).join(', ')} ms (median before, beside, after) |`,
  )
})

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20)

/** A reader whose window closes: it takes the beginning and nothing more. */
async function stopReading(t: Test, url: string, key: string): Promise<void> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.write(`GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`)
  await new Promise<void>((resolve) => {
    socket.once('data', () => {
      socket.pause()
      resolve()
    })
  })
}

/** Connections to the server that it has not ended. */
function openConnections(url: string): number {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  return [...readFileSync('/proc/net/tcp', 'utf8').matchAll(/^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) \S+ 01 /gm)].filter(
    ([, local]) => local === port,
  ).length
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1_024
}
