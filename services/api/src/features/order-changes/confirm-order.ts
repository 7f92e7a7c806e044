import { isHeld, type Order, owesNothingNow } from '#features/orders/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockFor, recordChange } from './locked-order.ts'
import { OrderNotConfirmable, OrderOnHold, PaymentMissing } from './problems.ts'
import { firmReservations, updateOrder } from './repository.ts'

/** Confirms a pending order that no hold keeps back and that owes nothing before delivery; its stock is firm then. */
export async function confirmOrder(work: Work, orderId: string, expected: ExpectedVersion): Promise<Order> {
  const order = await lockFor(work, 'confirm', orderId, expected, OrderNotConfirmable)
  if (isHeld(order, 'confirm')) throw new OrderOnHold({ detail: 'A hold blocks the confirmation' })
  if (!owesNothingNow(order)) throw new PaymentMissing()
  const change = { status: 'confirmed', confirmed_at: work.now, expires_at: null, version: order.version + 1 }
  await Promise.all([updateOrder(work, order.id, change), firmReservations(work, order.id)])
  const confirmed = { ...order, ...change, updated_at: work.now }
  return recordChange(work, 'order.confirmed', confirmed, { changed: ['status', 'confirmedAt', 'expiresAt'] })
}
