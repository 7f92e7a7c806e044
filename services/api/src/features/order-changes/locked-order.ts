import {
  allowsTransition,
  lockOrder,
  type Order,
  type OrderAction,
  OrderNotFound,
  type OrderWithLines,
  presentOrder,
  presentSnapshot,
} from '#features/orders/index.ts'
import type { EventType, LedgerEvent } from '#platform/ledger.ts'
import type { ProblemClass } from '#platform/problem.ts'
import { checkVersion, type ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'

/**
 * Locks an order for an action: it is there, of the version the caller expects, and in a status that allows it.
 * @throws OrderNotFound, PreconditionFailed, and `Refusal` for the status.
 */
export async function lockFor(
  work: Work,
  action: OrderAction,
  orderId: string,
  expected: ExpectedVersion,
  Refusal: ProblemClass,
): Promise<OrderWithLines> {
  const order = await lockOrder(work, orderId)
  if (!order) throw new OrderNotFound()
  checkVersion(expected, order.version)
  if (!allowsTransition(action, order.status)) throw new Refusal({ detail: `The order is ${order.status}` })
  return order
}

/** Records what an order has become, and answers it. */
export function recordChange(
  work: Work,
  type: EventType,
  order: OrderWithLines,
  facts: Pick<LedgerEvent, 'changed' | 'personal'>,
): Order {
  const resource = { type: 'order', id: order.id, version: order.version }
  work.record({ type, resource, data: presentSnapshot(order), ...facts })
  return presentOrder(order, work.actor.scopes)
}
