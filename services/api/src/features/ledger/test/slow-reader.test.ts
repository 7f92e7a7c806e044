import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { harness } from '#test/harness.ts'
import { relay } from '#test/relayed.ts'
import { followStream } from '#test/stream-reader.ts'
import { until } from '#test/until.ts'

const stallMs = 1_000
const h = await harness(t, { env: { STREAM_BUFFER_BYTES: '65536', STREAM_STALL_MS: String(stallMs) } })
const { as, tenant } = h
await relay(h)
const address = await h.app.http.listen({ host: '127.0.0.1', port: 0 })
const url = `${address}/v1/events/stream`
const headers = { authorization: `Bearer ${tenant.key}` }
const perRound = 8
let round = 0
/** Eight products of 100 kB, changed once more. */
const change = async (): Promise<void> => {
  round++
  const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key-${index}`, 'x'.repeat(1_000)]))
  const products = Array.from({ length: perRound }, (_, index) => ({
    sku: `SKU-${index}`,
    title: `Round ${round}`,
    prices: [],
    attributes,
  }))
  const { status, text } = await as(tenant.key).post('/v1/products/batch', { products })
  if (status >= 300) throw new Error(text)
  await relay(h)
}

/** A reader whose window closes: it takes what comes first and nothing more. */
async function stopReading(t: Test): Promise<Socket> {
  const { port, hostname } = new URL(address)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  socket.write(`GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\n\r\n`)
  await new Promise<void>((resolve) => {
    socket.once('data', () => {
      socket.pause()
      resolve()
    })
  })
  return socket
}

t.test('a reader that stops reading is closed, and hurts nobody', { timeout: 60_000 }, async (t) => {
  await stopReading(t)
  const reading = await followStream(t, url, headers)
  const connections = () =>
    new Promise<number>((resolve) => h.app.http.server.getConnections((_error, count) => resolve(count)))
  t.equal(await connections(), 2)
  let slowestMs = 0
  while ((await connections()) === 2 && round < 60) {
    await change()
    const from = performance.now()
    await until('the other reader has it all', () => reading.events.length === perRound * round)
    slowestMs = Math.max(slowestMs, performance.now() - from)
  }
  t.equal(await connections(), 1, `closed after ${round} rounds`)
  t.notOk(reading.ended())
  await change()
  await until('the other reader goes on', () => reading.events.length === perRound * round)
  t.comment(`| closed after ${round} rounds; the other reader had all, at most ${Math.round(slowestMs)} ms later |`)
})

t.test('a reader that catches up slowly holds no more than a batch, and comes to the end', async (t) => {
  const late = await followStream(t, `${url}?after=0`, headers)
  late.pause()
  await new Promise((resolve) => setTimeout(resolve, stallMs / 2))
  late.resume()
  const { rows } = await h.db.query('select sequence from event_heads where organization_id = $1', [
    tenant.organizationId,
  ])
  await until('it has everything', () => late.events.length === Number(rows[0].sequence), 30_000)
})
