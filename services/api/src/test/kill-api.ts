import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { harness } from './harness.ts'
import { freePort, startServer } from './server-process.ts'

const clients = 24
const minInFlight = 8
const skus = Array.from({ length: 40 }, (_, index) => `SKU-${index}`)
const initialStock = 1_000_000

interface Load {
  readonly port: number
  readonly key: string
  inFlight: number
  /** Requests whose connection broke before an answer: their outcome was unknown to the client. */
  unknown: number
  stopped: boolean
  /** Order id by Idempotency-Key, for every order the client was told of. */
  readonly acknowledged: Map<string, string>
  readonly unexpected: string[]
}

/** Kills the API `kills` times under load and checks that every order exists once, as its client was told. */
export async function killApiUnderLoad(t: Test, kills: number): Promise<void> {
  const { tenant, databaseUrl, db } = await harness(t)
  await tenant.stock(skus.map((sku) => ({ sku, onHand: initialStock })))
  const load: Load = {
    port: await freePort(),
    key: tenant.key,
    inFlight: 0,
    unknown: 0,
    stopped: false,
    acknowledged: new Map(),
    unexpected: [],
  }
  let server = await startServer(t, databaseUrl, load.port)
  const running = Array.from({ length: clients }, () => placeUntilStopped(load))
  for (let kill = 1; kill <= kills; kill++) {
    const [inFlight, unknown] = await killOnce(load, server.kill)
    t.ok(inFlight >= minInFlight, `kill ${kill}: ${inFlight} requests were in flight`)
    t.ok(unknown >= 1, `kill ${kill}: ${unknown} outcomes were unknown`)
    server = await startServer(t, databaseUrl, load.port)
  }
  await delay(300)
  load.stopped = true
  await Promise.all(running)
  t.same(load.unexpected, [], 'clients saw nothing but orders, broken connections and 503')
  await checkOrders(t, load, db)
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

async function placeUntilStopped(load: Load): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  while (!load.stopped) {
    const idempotencyKey = randomUUID()
    const body = JSON.stringify({ paymentTerms: 'onAccount', lines: Array.from({ length: 3 }, randomLine) })
    let orderId: string | null = null
    while (orderId === null) orderId = await attempt(load, agent, idempotencyKey, body)
    load.acknowledged.set(idempotencyKey, orderId)
  }
  agent.destroy()
}

const randomLine = () => ({
  sku: skus[Math.floor(Math.random() * skus.length)],
  quantity: 1 + Math.floor(Math.random() * 3),
})

/** One request; null when it has to be sent again with the same key. */
async function attempt(load: Load, agent: http.Agent, idempotencyKey: string, body: string): Promise<string | null> {
  load.inFlight++
  try {
    const { status, text } = await send(load, agent, idempotencyKey, body)
    if (status === 201) return (JSON.parse(text) as { data: { id: string } }).data.id
    if (status !== 503 && status !== 409) load.unexpected.push(`${status} ${text.slice(0, 200)}`)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ECONNREFUSED') load.unknown++
  } finally {
    load.inFlight--
  }
  await delay(20)
  return null
}

function send({ port, key }: Load, agent: http.Agent, idempotencyKey: string, body: string) {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'idempotency-key': idempotencyKey,
  }
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/v1/orders', method: 'POST', agent, headers }
    const request = http.request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function checkOrders(
  t: Test,
  load: Load,
  db: { query(text: string): Promise<{ rows: unknown[] }> },
): Promise<void> {
  const one = async (text: string): Promise<unknown[]> => (await db.query(text)).rows
  const orders = new Set((await one('select id from orders')).map((row) => (row as { id: string }).id))
  const lost = [...load.acknowledged.values()].filter((id) => !orders.has(id))
  t.same(lost, [], 'every acknowledged order is there')
  t.equal(orders.size, load.acknowledged.size, `${orders.size} orders for ${load.acknowledged.size} keys`)
  t.equal(new Set(load.acknowledged.values()).size, load.acknowledged.size, 'no two keys share an order')
  const wrong = await one(`select s.sku from stock_levels s where
    s.on_hand <> (select sum(on_hand_change) from stock_movements m where m.sku = s.sku)
    or s.reserved <> (select sum(reserved_change) from stock_movements m where m.sku = s.sku)
    or s.reserved <> (select coalesce(sum(quantity), 0) from reservations r where r.sku = s.sku and r.state in ('held', 'firm'))
    or s.reserved <> (select coalesce(sum(quantity), 0) from order_lines l where l.sku = s.sku)
    or s.on_hand <> ${initialStock} or s.reserved > s.on_hand`)
  t.same(wrong, [], 'stock = initial − Σ movements = initial − Σ lines, for every SKU')
  const odd = await one(`select resource_id from ledger where resource_type = 'order'
    group by resource_id having array_agg(resource_version order by resource_version) <> array[1, 2]`)
  t.same(odd, [], 'each order has its two ledger rows, once')
  t.comment(`${orders.size} orders, ${load.unknown} unknown outcomes`)
}
