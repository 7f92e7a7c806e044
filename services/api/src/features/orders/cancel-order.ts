import { releaseStock } from '#features/inventory/index.ts'
import { checkVersion, type ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { presentOrder, presentSnapshot } from './present.ts'
import { OrderNotCancellable, OrderNotFound } from './problems.ts'
import { closeOrder, lockOrder, type OrderWithLines } from './repository.ts'
import type { CancelOrder, Order } from './schemas.ts'
import { allowsTransition, type OrderStatus } from './status.ts'

/** Cancels an order of which nothing has shipped, and gives its stock back. */
export async function cancelOrder(
  work: Work,
  orderId: string,
  input: CancelOrder,
  expected: ExpectedVersion,
): Promise<Order> {
  const order = await lockOrder(work, orderId)
  if (!order) throw new OrderNotFound()
  checkVersion(expected, order.version)
  if (!allowsTransition('cancel', order.status as OrderStatus))
    throw new OrderNotCancellable({ detail: `The order is ${order.status}` })
  const cancelled = await endOrder(work, order, { status: 'cancelled', reason: input.reason ?? null })
  return presentOrder(cancelled, work.actor.scopes)
}

/** Ends a pending order whose time to pay is over; does nothing when it was paid, cancelled or expired meanwhile. */
export async function expireOrder(work: Work, orderId: string): Promise<void> {
  const order = await lockOrder(work, orderId)
  const due = order?.expires_at != null && order.expires_at <= work.now
  if (!order || !due || !allowsTransition('expire', order.status as OrderStatus)) return
  await endOrder(work, order, { status: 'expired', reason: null })
}

async function endOrder(
  work: Work,
  order: OrderWithLines,
  end: { readonly status: 'cancelled' | 'expired'; readonly reason: string | null },
): Promise<OrderWithLines> {
  const change = { status: end.status, cancel_reason: end.reason, version: order.version + 1 }
  await closeOrder(work, { id: order.id, ...change })
  await releaseStock(work, order.id, end.status === 'expired' ? 'expired' : 'released')
  const lines = order.lines.map((line) => ({ ...line, quantity_cancelled: line.quantity, quantity_backordered: 0 }))
  const ended = { ...order, ...change, lines, expires_at: null, closed_at: work.now, updated_at: work.now }
  work.record({
    type: `order.${end.status}`,
    resource: { type: 'order', id: order.id, version: change.version },
    changed: ['status', 'closedAt', 'lines', ...(end.reason === null ? [] : ['cancelReason'])],
    data: presentSnapshot(ended),
  })
  return ended
}
