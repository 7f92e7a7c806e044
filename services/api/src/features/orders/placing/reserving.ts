import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import type { OrderWithLines } from '../repository.ts'
import type { Backordered, Demand, Reserving, ReservingOrder, WaitingLine } from './repository.ts'

/** An order to be placed, and the work of the request that asks for it. */
export interface Wanted {
  readonly work: Work
  readonly order: OrderWithLines
}

/** What orders want of stock, in the forms in which placing them takes it. */
export interface StockWanted {
  readonly reserving: readonly ReservingOrder[]
  readonly reservations: readonly Reserving[]
  readonly demand: readonly Demand[]
  /** Lines of which a part may wait, each with what those before it want of the same level. */
  readonly patient: readonly WaitingLine[]
}

/** `mayWait` tells the SKUs that are sold beyond what is there. */
export function stockWanted(wanted: readonly Wanted[], mayWait: (sku: string) => boolean): StockWanted {
  const reservations = reserve(wanted, mayWait)
  return {
    reserving: wanted.map(reservingOrder),
    reservations,
    demand: demandOf(reservations, mayWait),
    patient: patientLines(wanted, mayWait),
  }
}

/** One reservation per order and SKU: lines of the same SKU are summed, untracked ones need none. */
function reserve(wanted: readonly Wanted[], mayWait: (sku: string) => boolean): Reserving[] {
  const later = new Map<string, number>()
  const reservations = wanted.toReversed().flatMap(({ order }) =>
    [...quantitiesBySku(order)].map(([sku, quantity]): Reserving => {
      const level = `${sku}@${order.location_id}`
      const wantedLater = later.get(level) ?? 0
      later.set(level, wantedLater + quantity)
      return {
        id: newId('rsv'),
        waiting_id: mayWait(sku) ? newId('rsv') : null,
        movement_id: newId('mov'),
        order_id: order.id,
        sku,
        location_id: order.location_id,
        quantity,
        later: wantedLater,
      }
    }),
  )
  return reservations.reverse()
}

const reservingOrder = ({ order, work }: Wanted): ReservingOrder => ({
  order_id: order.id,
  state: order.status === 'confirmed' ? 'firm' : 'held',
  expires_at: order.expires_at,
  actor: { type: work.actor.type, id: work.actor.principalId },
  request_id: work.requestId,
  occurred_at: work.now,
})

/** What an order takes from the stock, lines of the same SKU summed; a draft takes nothing. */
export function quantitiesBySku({ status, lines }: Pick<OrderWithLines, 'status' | 'lines'>): Map<string, number> {
  const quantities = new Map<string, number>()
  if (status === 'draft') return quantities
  for (const { sku, quantity, tracked } of lines)
    if (tracked) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  return quantities
}

/** What all reservations together want of each level; the first of a level knows what those after it want. */
function demandOf(reservations: readonly Reserving[], mayWait: (sku: string) => boolean): Demand[] {
  const demand = new Map<string, Demand>()
  for (const { sku, location_id, quantity, later } of reservations) {
    const level = `${sku}@${location_id}`
    if (!demand.has(level)) demand.set(level, { sku, location_id, quantity: quantity + later, may_wait: mayWait(sku) })
  }
  return [...demand.values()]
}

function patientLines(wanted: readonly Wanted[], mayWait: (sku: string) => boolean): WaitingLine[] {
  const wantedBefore = new Map<string, number>()
  return wanted.flatMap(({ order: { id, status, location_id, lines } }) =>
    lines
      .filter(({ sku, tracked }) => tracked && status !== 'draft' && mayWait(sku))
      .map(({ position, sku, quantity }): WaitingLine => {
        const level = `${sku}@${location_id}`
        const before = wantedBefore.get(level) ?? 0
        wantedBefore.set(level, before + quantity)
        return { order_id: id, position, sku, location_id, quantity, before }
      }),
  )
}

/** The order with the units of its lines that have to wait. */
export function withBackorders(order: OrderWithLines, backordered: readonly Backordered[]): OrderWithLines {
  const own = new Map(
    backordered.filter(({ order_id }) => order_id === order.id).map(({ position, quantity }) => [position, quantity]),
  )
  return {
    ...order,
    lines: order.lines.map((line) => ({ ...line, quantity_backordered: own.get(line.position) ?? 0 })),
  }
}
