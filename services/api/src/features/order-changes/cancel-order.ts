import { releaseStock } from '#features/inventory/index.ts'
import { allowsTransition, lockOrder, type Order, type OrderWithLines } from '#features/orders/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockFor, recordChange } from './locked-order.ts'
import { OrderNotCancellable } from './problems.ts'
import { closeOrder } from './repository.ts'
import type { CancelOrder } from './schemas.ts'

/** Cancels an order of which nothing has shipped, and gives its stock back. */
export async function cancelOrder(
  work: Work,
  orderId: string,
  input: CancelOrder,
  expected: ExpectedVersion,
): Promise<Order> {
  const order = await lockFor(work, 'cancel', orderId, expected, OrderNotCancellable)
  return endOrder(work, order, { status: 'cancelled', reason: input.reason ?? null })
}

/** Ends a pending order whose time to pay is over; does nothing when it was paid, cancelled or expired meanwhile. */
export async function expireOrder(work: Work, orderId: string): Promise<void> {
  const order = await lockOrder(work, orderId)
  const due = order?.expires_at != null && order.expires_at <= work.now
  if (!order || !due || !allowsTransition('expire', order.status)) return
  await endOrder(work, order, { status: 'expired', reason: null })
}

/** Every live unit is cancelled; the totals stay what they were. */
export async function endOrder(
  work: Work,
  order: OrderWithLines,
  end: { readonly status: 'cancelled' | 'expired'; readonly reason: string | null },
): Promise<Order> {
  const change = { status: end.status, cancel_reason: end.reason, version: order.version + 1 }
  await closeOrder(work, { id: order.id, ...change })
  await releaseStock(work, order.id, end.status === 'expired' ? 'expired' : 'released')
  const lines = order.lines.map((line) => ({ ...line, quantity_cancelled: line.quantity, quantity_backordered: 0 }))
  const ended = { ...order, ...change, lines, expires_at: null, closed_at: work.now, updated_at: work.now }
  const changed = ['status', 'closedAt', 'lines', ...(end.reason === null ? [] : ['cancelReason'])]
  return recordChange(work, `order.${end.status}`, ended, { changed })
}
