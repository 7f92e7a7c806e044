import { isDeepStrictEqual } from 'node:util'
import { type Order, type OrderWithLines, personalOf, presentOrder } from '#features/orders/index.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { lockFor, recordChange } from './locked-order.ts'
import { OrderNotChangeable } from './problems.ts'
import { updateOrder as writeOrder } from './repository.ts'
import type { UpdateOrder } from './schemas.ts'

const columns = {
  customer: 'customer',
  shippingAddress: 'shipping_address',
  billingAddress: 'billing_address',
  notes: 'notes',
  metadata: 'metadata',
} as const satisfies Record<keyof UpdateOrder, keyof OrderWithLines>
type Field = keyof typeof columns

/** Replaces what an order says about its customer and its delivery. What stays the same makes no new version. */
export async function updateOrder(
  work: Work,
  orderId: string,
  input: UpdateOrder,
  expected: ExpectedVersion,
): Promise<Order> {
  const order = await lockFor(work, 'update', orderId, expected, OrderNotChangeable)
  const changed = (Object.keys(columns) as Field[]).filter(
    (field) => input[field] !== undefined && !isDeepStrictEqual(input[field], order[columns[field]]),
  )
  if (changed.length === 0) return presentOrder(order, work.actor.scopes)
  const change = Object.fromEntries(changed.map((field) => [columns[field], input[field]])) as Partial<OrderWithLines>
  const updated = { ...order, ...change, version: order.version + 1, updated_at: work.now }
  await writeOrder(work, order.id, { ...change, version: updated.version })
  const isPersonal = changed.some((field) => field !== 'metadata')
  return recordChange(work, 'order.updated', updated, {
    changed,
    ...(isPersonal ? { personal: personalOf(updated) } : {}),
  })
}
