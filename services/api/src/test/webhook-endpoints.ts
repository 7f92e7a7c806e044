import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { startSender } from '#features/webhook-delivery/index.ts'
import type { Clock } from '#platform/clock.ts'
import { newId } from '#platform/id.ts'
import type { Runtime } from '../runtime.ts'
import type { Harness } from './harness.ts'
import { relay } from './relayed.ts'

/** What an endpoint may be beside its URL. */
export interface EndpointOptions {
  readonly types?: readonly string[]
  readonly allowedSources?: readonly string[]
  readonly ordering?: 'none' | 'perResource'
  readonly maxConcurrency?: number
  readonly organizationId?: string
}

export interface TestEndpoint {
  readonly id: string
  readonly secret: string
}

/** Lets the sender reach receivers on this machine. */
export const reachable = { OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8' } as const

/** A registered endpoint with one secret. */
export async function addEndpoint(h: Harness, url: string, options: EndpointOptions = {}): Promise<TestEndpoint> {
  const { types = ['*'], allowedSources = [], ordering = 'none', maxConcurrency = 5 } = options
  const organizationId = options.organizationId ?? h.tenant.organizationId
  const id = newId('whe')
  await h.db.query(
    `insert into webhook_endpoints (organization_id, id, principal_id, url, types, allowed_sources, ordering,
       max_concurrency, created_at, updated_at)
     values ($1, $2, 'usr_a', $3, $4, $5, $6, $7, now(), now())`,
    [organizationId, id, url, types, allowedSources, ordering, maxConcurrency],
  )
  return { id, secret: await addSecret(h, organizationId, id) }
}

/** One more secret; `expiresAt` null: the current one. */
export async function addSecret(h: Harness, organizationId: string, endpointId: string, expiresAt: Date | null = null) {
  const secretId = newId('whs')
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const row = { table: 'webhook_secrets', organizationId, id: secretId }
  await h.db.query(
    `insert into webhook_secrets (organization_id, id, endpoint_id, ciphertext, created_at, expires_at)
     values ($1, $2, $3, $4, now(), $5)`,
    [organizationId, secretId, endpointId, h.runtime.encryption.encrypt(secret, row), expiresAt],
  )
  return secret
}

/** A sender in this process, as a worker runs it; it ends when `t` ends. */
export function sending(t: Test, runtime: Runtime) {
  const sender = startSender(runtime)
  t.teardown(() => sender.stop())
  return sender
}

/** A clock that goes on from the present and can be moved ahead. */
export interface MovableClock extends Clock {
  forward(ms: number): void
}

export function movableClock(): MovableClock {
  let ahead = 0
  return {
    now: () => new Date(Date.now() + ahead),
    forward: (ms) => {
      ahead += ms
    },
  }
}

/** A delivery as it is stored, with its attempts. */
export async function deliveriesOf(h: Harness, endpointId: string) {
  const { rows } = await h.db.query(
    `select d.*, (select coalesce(json_agg(a order by a.number), '[]') from webhook_attempts a where a.delivery_id = d.id)
       as log
     from webhook_deliveries d where d.endpoint_id = $1 order by d.sequence, d.id`,
    [endpointId],
  )
  return rows
}

/** Places orders and tells the readers of the ledger; answers with their ids. What was there before is told first. */
export async function placing(h: Harness) {
  await h.tenant.stock([{ sku: 'MUG', onHand: 10_000 }])
  await relay(h)
  const order = {
    paymentTerms: 'prepaid',
    customer: { name: 'A', email: 'a@b.example' },
    lines: [{ sku: 'MUG', quantity: 1 }],
  }
  return async (count: number, source?: string): Promise<string[]> => {
    const ids: string[] = []
    for (let placed = 0; placed < count; placed++) {
      const from = source === undefined ? {} : { source, externalId: newId('req') }
      const { body, status, text } = await h.as(h.tenant.key).post('/v1/orders', { ...order, ...from })
      if (status !== 201) throw new Error(text)
      ids.push(body.data.id)
    }
    await relay(h)
    return ids
  }
}
