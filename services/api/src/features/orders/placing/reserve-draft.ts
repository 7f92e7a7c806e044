import { startLevels } from '#features/inventory/index.ts'
import type { Work } from '#platform/work.ts'
import type { OrderWithLines } from '../repository.ts'
import { insertOrders } from './repository.ts'
import { stockWanted, withBackorders } from './reserving.ts'

/**
 * Reserves the stock of a draft that is placed, by the statement that places new orders; returns the order with what
 * has to wait.
 * @throws OutOfStock listing each short line.
 */
export async function reserveDraft(
  work: Work,
  order: OrderWithLines,
  mayWait: (sku: string) => boolean,
): Promise<OrderWithLines> {
  const stock = stockWanted([{ work, order }], mayWait)
  const patient = stock.demand.filter(({ may_wait }) => may_wait)
  const [, backordered] = await Promise.all([
    startLevels(work, patient),
    insertOrders(work, { orders: [], lines: [], ...stock }, order.lines),
  ])
  return withBackorders(order, backordered)
}
