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
 * Two API processes' worth of streams behind one address whose connections break at random, after some bytes or after some
 * time, while orders come in: readers of everything and of a filter must get every event once and in order.
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
  const follow = (params: object) => Array.from({ length: 3 }, () => collect(purser, params, stop.signal))
  const [all, placed] = [follow({}), follow({ types: ['order.placed'] })]
  const writing = placeOrders(first, stop.signal)

  await until(`${cuts} cuts`, () => line.cuts() >= cuts, 20 * 60_000)
  line.mend()
  await writing.stop()
  const events = await recordedEvents(first)
  const check = async (readers: readonly number[][], wanted: typeof events, what: string): Promise<void> => {
    await until(`${what}: everything`, () => readers.every(({ length }) => length >= wanted.length), 60_000)
    const sequences = wanted.map(({ sequence }) => sequence)
    for (const reader of readers) t.same(reader, sequences, `${what}: once and in order`)
  }
  await check(all, events, 'every event')
  const isPlaced = ({ type }: { readonly type: string }) => type === 'order.placed'
  await check(placed, events.filter(isPlaced), 'those of a filter')
  stop.abort()
  t.ok(line.inMidst() >= cuts / 8, `${line.inMidst()} cuts were in the midst of what was sent`)
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

/** Some 20 orders a second, numbered as they come. */
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
    loop(() => as(tenant.key).post('/v1/orders', order), 25),
    loop(() => relay({ runtime }), 50),
  ])
  return {
    async stop() {
      isStopped = true
      await running
    },
  }
}

/** A line to one of several ports that breaks after some bytes or some time, both random, until it is mended. */
async function breakingLine(t: Test, targets: readonly number[], random: () => number) {
  const state = { cuts: 0, inMidst: 0, isMended: false, connections: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const target = connect(targets[state.connections++ % targets.length] ?? 0, '127.0.0.1')
    let left = Math.floor(random() * 100_000)
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    const cut = (): void => {
      client.destroy()
      target.destroy()
    }
    // Most cuts by time meet a reader that has caught up.
    const timer = setTimeout(() => {
      if (state.isMended) return
      state.cuts++
      cut()
    }, random() * 3_000)
    let isCut = false
    client.on('close', () => clearTimeout(timer))
    client.pipe(target)
    client.on('close', cut)
    target.on('close', cut)
    target.on('data', (bytes) => {
      if (isCut) return
      if (state.isMended || bytes.length <= left) {
        left -= bytes.length
        client.write(bytes)
        return
      }
      // What has been passed on ends anywhere, within an event as well.
      clearTimeout(timer)
      isCut = true
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
