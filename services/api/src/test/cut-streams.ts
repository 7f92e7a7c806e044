import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Purser } from '@purser/sdk'
import type { Test } from 'tap'
import { type Harness, harness } from './harness.ts'
import { recordedEvents } from './recorded-events.ts'
import { relay } from './relayed.ts'
import { seededRandom } from './seeded-random.ts'
import { until } from './until.ts'

export interface CutPlan {
  readonly cuts: number
  readonly seed: number
}

/**
 * Two API processes' worth of streams behind one address whose connections break at random, while orders come in: a
 * reader of everything and one of a filter must get every event once and in order.
 */
export async function cutStreams(t: Test, { cuts, seed }: CutPlan): Promise<void> {
  const first = await harness(t)
  const second = await harness(t, { databaseUrl: first.databaseUrl })
  const { tenant } = first
  await tenant.stock([{ sku: 'MUG', onHand: 1_000_000 }])
  const targets = await Promise.all(
    [first, second].map(async ({ app }) => Number(new URL(await app.http.listen({ host: '127.0.0.1', port: 0 })).port)),
  )
  const line = await breakingLine(t, targets, seededRandom(seed))
  const stop = new AbortController()
  const baseUrl = `http://127.0.0.1:${line.port}`
  const purser = new Purser({ baseUrl, apiKey: tenant.key, maxRetries: 20 })
  const all = collect(purser, {}, stop.signal)
  const placed = collect(purser, { types: ['order.placed'] }, stop.signal)
  const writing = placeOrders(first, stop.signal)

  await until(`${cuts} cuts`, () => line.cuts() >= cuts, 20 * 60_000)
  line.mend()
  await writing.stop()
  const events = await recordedEvents(first)
  const wanted = events.filter(({ type }) => type === 'order.placed')
  await until('everybody has everything', () => all.length >= events.length && placed.length >= wanted.length, 60_000)
  stop.abort()
  t.same(
    all,
    events.map(({ sequence }) => sequence),
    'every event, once and in order',
  )
  t.same(
    placed,
    wanted.map(({ sequence }) => sequence),
    'the same of a filtered stream',
  )
  t.ok(line.cuts() >= cuts && line.inMidst() >= cuts / 4, `${line.inMidst()} cuts were in the midst of what was sent`)
  t.comment(
    `| ${line.cuts()} cuts, ${line.inMidst()} of them in the midst of what was sent; ${events.length} events, none lost, twice or out of order |`,
  )
}

export function collect(purser: Purser, params: object, signal: AbortSignal): number[] {
  const sequences: number[] = []
  const run = async (): Promise<void> => {
    for await (const { sequence } of purser.events.stream(params, { after: 0, signal })) sequences.push(sequence)
  }
  run().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return sequences
}

/** Orders without pause, numbered as they come. */
function placeOrders({ as, tenant, runtime }: Harness, signal: AbortSignal) {
  let isStopped = false
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
  const loop = async (step: () => Promise<unknown>, pauseMs: number): Promise<void> => {
    while (!isStopped && !signal.aborted) {
      await step()
      await sleep(pauseMs)
    }
  }
  const running = Promise.all([
    loop(() => as(tenant.key).post('/v1/orders', order), 5),
    loop(() => relay({ runtime }), 20),
  ])
  return {
    async stop() {
      isStopped = true
      await running
    },
  }
}

/** A line to one of several ports that breaks after a random number of bytes, until it is mended. */
async function breakingLine(t: Test, targets: readonly number[], random: () => number) {
  const state = { cuts: 0, inMidst: 0, isMended: false, connections: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const target = connect(targets[state.connections++ % targets.length] ?? 0, '127.0.0.1')
    let left = Math.floor(random() * 30_000)
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    const cut = (): void => {
      client.destroy()
      target.destroy()
    }
    client.pipe(target)
    client.on('close', cut)
    target.on('close', cut)
    target.on('data', (bytes) => {
      if (state.isMended || bytes.length <= left) {
        left -= bytes.length
        client.write(bytes)
        return
      }
      // What has been passed on ends anywhere, within an event as well.
      state.cuts++
      if (left > 0) state.inMidst++
      client.write(bytes.subarray(0, left), cut)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return {
    port: address === null || typeof address === 'string' ? 0 : address.port,
    cuts: () => state.cuts,
    inMidst: () => state.inMidst,
    mend: () => {
      state.isMended = true
    },
  }
}
