import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Test } from 'tap'
import type { Tenant } from './factories.ts'
import { stockAddsUp } from './invariants.ts'

const skus = Array.from({ length: 40 }, (_, index) => `SKU-${index}`)
const initialStock = 1_000_000

export interface LoadPlan {
  readonly port: number
  readonly tenants: readonly Tenant[]
  readonly clients: number
  /** Longest pause before a request is sent again. */
  readonly patienceMs: number
  readonly random: () => number
}

/** An order as its client was told of it. */
export interface Acknowledged {
  readonly orderId: string
  readonly tenant: Tenant
  readonly body: string
  /** The exact characters of the answer's `data`. */
  readonly data: string
}

/** Clients that place orders without end, and what they have seen. */
export interface Load {
  /** By Idempotency-Key. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>
  readonly inFlight: number
  /** Requests whose connection broke before an answer: their outcome was unknown to the client. */
  readonly unknown: number
  /** Requests that were answered with "try again". */
  readonly putOff: number
  /** Longest pause of a client between two orders; none at first. */
  pauseMs: number
  /** Answers that no client of a service whose processes are killed should see. */
  readonly unexpected: readonly string[]
  /** Every client gets the answer it waits for, then they end. */
  finish(): Promise<void>
  /** Sends one of these requests again. */
  repeat(idempotencyKey: string): Promise<Reply>
}

export interface Reply {
  readonly status: number
  readonly text: string
  readonly headers: http.IncomingHttpHeaders
}

/** Products and stock that no load uses up. */
export const stockUp = (tenant: Tenant): Promise<void> =>
  tenant.stock(skus.map((sku) => ({ sku, onHand: initialStock })))

/** Starts clients that repeat each order under its Idempotency-Key until they are told its outcome, or `t` ends. */
export function startLoad(t: Test, plan: LoadPlan): Load {
  const state = {
    inFlight: 0,
    unknown: 0,
    putOff: 0,
    pauseMs: 0,
    isStopped: false,
    isGivenUp: false,
    unexpected: [] as string[],
  }
  const acknowledged = new Map<string, Acknowledged>()
  const agent = new http.Agent({ keepAlive: true })
  const send = (tenant: Tenant, idempotencyKey: string, body: string): Promise<Reply> =>
    post(plan.port, agent, { tenant, idempotencyKey, body })

  async function placeUntilStopped(client: number): Promise<void> {
    const tenant = plan.tenants[client % plan.tenants.length] as Tenant
    while (!state.isStopped) {
      const idempotencyKey = randomUUID()
      const lines = Array.from({ length: 3 }, () => randomLine(plan.random))
      const body = JSON.stringify({ paymentTerms: 'onAccount', lines })
      let data: string | null = null
      while (data === null && !state.isGivenUp) data = await attempt(tenant, idempotencyKey, body)
      if (data === null) return
      acknowledged.set(idempotencyKey, { orderId: JSON.parse(data).id, tenant, body, data })
      if (state.pauseMs > 0) await delay(plan.random() * state.pauseMs)
    }
  }
  /** One request; null when it has to be sent again with the same key. */
  async function attempt(tenant: Tenant, idempotencyKey: string, body: string): Promise<string | null> {
    state.inFlight++
    try {
      const { status, text, headers } = await send(tenant, idempotencyKey, body)
      if (status === 201) return dataOf(text)
      const isPassing = (status === 503 || status === 409) && headers['retry-after'] !== undefined
      if (isPassing) state.putOff++
      else state.unexpected.push(`${status} ${text.slice(0, 200)}`)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ECONNREFUSED') state.unknown++
    } finally {
      state.inFlight--
    }
    await delay(20 + plan.random() * plan.patienceMs)
    return null
  }

  t.teardown(() => {
    state.isStopped = state.isGivenUp = true
    agent.destroy()
  })
  const running = Promise.all(Array.from({ length: plan.clients }, (_, client) => placeUntilStopped(client)))
  return {
    acknowledged,
    unexpected: state.unexpected,
    get inFlight() {
      return state.inFlight
    },
    get unknown() {
      return state.unknown
    },
    get putOff() {
      return state.putOff
    },
    get pauseMs() {
      return state.pauseMs
    },
    set pauseMs(pauseMs) {
      state.pauseMs = pauseMs
    },
    async finish() {
      state.isStopped = true
      await running
    },
    repeat(idempotencyKey) {
      const { tenant, body } = acknowledged.get(idempotencyKey) as Acknowledged
      return send(tenant, idempotencyKey, body)
    },
  }
}

const randomLine = (random: () => number) => ({
  sku: skus[Math.floor(random() * skus.length)],
  quantity: 1 + Math.floor(random() * 3),
})

/** `{"success":true,"data":…,"meta":{…}}` */
const dataOf = (text: string): string => text.slice(text.indexOf('"data":') + 7, text.lastIndexOf(',"meta":'))

interface Order {
  readonly tenant: Tenant
  readonly idempotencyKey: string
  readonly body: string
}

function post(port: number, agent: http.Agent, { tenant, idempotencyKey, body }: Order): Promise<Reply> {
  const headers = {
    authorization: `Bearer ${tenant.key}`,
    'content-type': 'application/json',
    'idempotency-key': idempotencyKey,
  }
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/v1/orders', method: 'POST', agent, headers }
    const request = http.request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Every order is there once, as its client was told, and so are its stock and its entries in the ledger. */
export async function placedOnce(t: Test, load: Load, db: pg.Pool): Promise<void> {
  t.same(load.unexpected, [], 'clients saw nothing but orders, broken connections, and 503 and 409 with Retry-After')
  const told = [...load.acknowledged.values()]
  const orders = await db.query('select organization_id, id from orders')
  const stored = new Set(orders.rows.map((row) => `${row.organization_id} ${row.id}`))
  const lost = told.filter(({ orderId, tenant }) => !stored.has(`${tenant.organizationId} ${orderId}`))
  t.same(lost, [], 'every acknowledged order is there')
  t.equal(orders.rowCount, told.length, `${orders.rowCount} orders for ${told.length} keys`)
  t.equal(new Set(told.map(({ orderId }) => orderId)).size, told.length, 'no two keys share an order')
  await stockAddsUp(t, db)
  const wrong = await db.query(`
    with ordered as (select organization_id, sku, sum(quantity)::int as quantity from order_lines group by 1, 2)
    select s.sku, s.on_hand, s.reserved, o.quantity from stock_levels s
      full join ordered o on o.organization_id = s.organization_id and o.sku = s.sku
    where s.on_hand is distinct from ${initialStock} or s.reserved is distinct from coalesce(o.quantity, 0)`)
  t.same(wrong.rows, [], 'on hand as in the beginning; reserved = Σ lines, for every SKU')
  const odd = await db.query(`select resource_id from ledger where resource_type = 'order'
    group by organization_id, resource_id having array_agg(resource_version order by resource_version) <> array[1, 2]`)
  t.same(odd.rows, [], 'each order has its two ledger rows, once')
}

/** Every `step`-th request, sent again, gets the bytes of the answer it got. */
export async function repeatable(t: Test, load: Load, step: number): Promise<void> {
  const keys = [...load.acknowledged.keys()].filter((_, index) => index % step === 0)
  const different: string[] = []
  for (const key of keys) {
    const { status, text, headers } = await load.repeat(key)
    const isSame = status === 201 && headers['idempotency-replayed'] === 'true'
    if (!isSame || dataOf(text) !== load.acknowledged.get(key)?.data) different.push(`${status} ${text.slice(0, 200)}`)
  }
  t.same(different, [], `${keys.length} requests sent again got the same bytes`)
}
