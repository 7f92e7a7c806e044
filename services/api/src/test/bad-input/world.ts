import { randomUUID } from 'node:crypto'
import type { Tenant } from '../factories.ts'
import type { Harness } from '../harness.ts'
import type { Answer } from '../http-client.ts'

/** What hand-written cases refer to. */
export interface World {
  readonly tenant: Tenant
  readonly orderId: string
  readonly cancelledOrderId: string
  /** The line of `orderId`, and that of `cancelledOrderId`. */
  readonly lineId: string
  readonly cancelledLineId: string
  /** A draft with a hold on its confirmation, and the same of another tenant. */
  readonly draftId: string
  readonly holdId: string
  readonly otherHoldId: string
  /** Pending, since it is prepaid and not paid. */
  readonly pendingId: string
  readonly productId: string
  readonly archivedProductId: string
  readonly otherProductId: string
  readonly reservationId: string
  readonly releasedReservationId: string
  readonly otherReservationId: string
  /** The reservation of `orderId`. */
  readonly orderReservationId: string
  readonly otherOrderId: string
  readonly otherLocationId: string
  readonly otherKeyId: string
  readonly revokedKeyId: string
  readonly expiredKeyId: string
  /** Secret of a key that may place orders and manage keys, and nothing else. */
  readonly limitedKey: string
  /** Used for the order `orderId`. */
  readonly usedIdempotencyKey: string
}

/** A request that the service must refuse by a rule of its own, not by its schema alone. */
export interface HandCase {
  /** Where and why: distinct for every case. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly key?: string
  readonly status: number
  readonly code: string
}

/** A request, its body and the refusal it must get. */
export const refused = (
  name: string,
  method: HandCase['method'],
  url: string,
  body: unknown,
  status: number,
  code: string,
  more: Partial<HandCase> = {},
): HandCase => ({ name, method, url, body, status, code, ...more })

export const absent = (prefix: string): string => `${prefix}_01jd0000000000000000000000`

/** Ten MUG and one untracked POSTAGE for sale; a draft, an archived product and one without a price. */
export async function createWorld(h: Harness): Promise<World> {
  const { tenant } = h
  await tenant.stock([
    { sku: 'MUG', onHand: 10 },
    { sku: 'POSTAGE', stockPolicy: 'untracked' },
  ])
  const client = h.as(tenant.key)
  const make = async (
    from: typeof client,
    url: string,
    body?: object,
    headers = {},
  ): Promise<Answer['body']['data']> => {
    const answer = await from.post(url, body, headers)
    if (answer.status >= 300) throw new Error(`POST ${url} answered ${answer.text}`)
    return answer.body.data
  }
  for (const [sku, more] of [
    ['DRAFT', { status: 'draft' }],
    ['GONE', { status: 'archived' }],
    ['FREE', { prices: [] }],
  ] as const)
    await make(client, '/v1/products', { sku, title: sku, prices: [{ amount: 100, currency: 'GBP' }], ...more })
  const order = { paymentTerms: 'onAccount', lines: [{ sku: 'MUG', quantity: 1 }] }
  const usedIdempotencyKey = randomUUID()
  const first = { ...order, source: 'shop', externalId: 'E-1' }
  const { id: orderId, lines } = await make(client, '/v1/orders', first, { 'idempotency-key': usedIdempotencyKey })
  const { id: cancelledOrderId, lines: cancelledLines } = await make(client, '/v1/orders', order)
  await make(client, `/v1/orders/${cancelledOrderId}/cancel`, {})
  const postage = { paymentTerms: 'prepaid', lines: [{ sku: 'POSTAGE', quantity: 1 }] }
  const draft = await make(client, '/v1/orders', { ...postage, draft: true })
  const { holds } = await make(client, `/v1/orders/${draft.id}/holds`, { blocks: 'confirm' })
  const pending = await make(client, '/v1/orders', postage)
  const productId = async (of: typeof client, sku: string) => (await of.get(`/v1/products?sku=${sku}`)).body.data[0].id
  const reserve = async (of: typeof client) => (await make(of, '/v1/reservations', { sku: 'MUG', quantity: 1 })).id
  const reservationId = await reserve(client)
  const releasedReservationId = await reserve(client)
  await make(client, `/v1/reservations/${releasedReservationId}/release`)
  const ofOrder = await client.get(`/v1/reservations?orderId=${orderId}`)
  const revoked = await make(client, '/v1/api-keys', { name: 'revoked', scopes: ['orders:read'] })
  await make(client, `/v1/api-keys/${revoked.id}/revoke`)
  const expired = await make(client, '/v1/api-keys', { name: 'expired', scopes: ['orders:read'] })
  await h.db.query(`update api_keys set expires_at = now() - interval '1 hour' where id = $1`, [expired.id])
  const other = await h.otherTenant()
  await other.stock([
    { sku: 'MUG', onHand: 5 },
    { sku: 'THEIRS', onHand: 5 },
  ])
  const theirs = await make(h.as(other.key), '/v1/orders', order)
  const theirDraft = await make(h.as(other.key), '/v1/orders', { ...order, draft: true })
  const theirHolds = await make(h.as(other.key), `/v1/orders/${theirDraft.id}/holds`, { blocks: 'confirm' })
  return {
    tenant,
    orderId,
    cancelledOrderId,
    lineId: lines[0].id,
    cancelledLineId: cancelledLines[0].id,
    draftId: draft.id,
    holdId: holds[0].id,
    otherHoldId: theirHolds.holds[0].id,
    pendingId: pending.id,
    productId: await productId(client, 'MUG'),
    archivedProductId: await productId(client, 'GONE'),
    otherProductId: await productId(h.as(other.key), 'MUG'),
    reservationId,
    releasedReservationId,
    otherReservationId: await reserve(h.as(other.key)),
    orderReservationId: ofOrder.body.data[0].id,
    otherOrderId: theirs.id,
    otherLocationId: other.locationId,
    otherKeyId: other.keyId,
    revokedKeyId: revoked.id,
    expiredKeyId: expired.id,
    limitedKey: await tenant.keyWith(['orders:write', 'orders:read', 'apiKeys:write']),
    usedIdempotencyKey,
  }
}
