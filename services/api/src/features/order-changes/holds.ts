import { maxHolds, type Order } from '#features/orders/index.ts'
import { newId } from '#platform/id.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockFor, recordChange } from './locked-order.ts'
import { HoldNotFound, HoldNotManual, OrderNotChangeable, TooManyHolds } from './problems.ts'
import { insertHold, releaseHold as markReleased, updateOrder } from './repository.ts'
import type { AddHold } from './schemas.ts'

/** Holds one step of an order back by hand. */
export async function addHold(work: Work, orderId: string, input: AddHold, expected: ExpectedVersion): Promise<Order> {
  const order = await lockFor(work, 'addHold', orderId, expected, OrderNotChangeable)
  if (order.holds.length >= maxHolds) throw new TooManyHolds()
  const hold = {
    id: newId('hld'),
    kind: 'manual',
    blocks: input.blocks,
    reason: input.reason ?? null,
    created_at: work.now,
  }
  const version = order.version + 1
  await Promise.all([insertHold(work, order.id, hold), updateOrder(work, order.id, { version })])
  const held = { ...order, version, updated_at: work.now, holds: [...order.holds, hold] }
  return recordChange(work, 'order.holdAdded', held, { changed: ['holds'] })
}

/** Releases a manual hold. An order that it kept pending is then confirmed by `orders.confirm`. */
export async function releaseHold(
  work: Work,
  orderId: string,
  holdId: string,
  expected: ExpectedVersion,
): Promise<Order> {
  const order = await lockFor(work, 'releaseHold', orderId, expected, OrderNotChangeable)
  const hold = order.holds.find(({ id }) => id === holdId)
  if (!hold) throw new HoldNotFound()
  if (hold.kind !== 'manual') throw new HoldNotManual({ detail: `The hold is of the kind ${hold.kind}` })
  const version = order.version + 1
  await Promise.all([markReleased(work, order.id, holdId), updateOrder(work, order.id, { version })])
  const holds = order.holds.filter(({ id }) => id !== holdId)
  const released = { ...order, version, updated_at: work.now, holds }
  return recordChange(work, 'order.holdReleased', released, { changed: ['holds'] })
}
