import type { Selectable } from 'kysely'
import { type ColumnType, columnArrays } from '#platform/column-arrays.ts'
import { runSql } from '#platform/database.ts'
import { RunAgain, raisedBy, violates } from '#platform/database-errors.ts'
import type { Reservations } from '#platform/tables.gen.ts'
import type { Work } from '#platform/work.ts'
import type { LineRow, lineColumns, OrderRow, orderColumns } from '../repository.ts'
import { outOfStock, type Shortage } from './out-of-stock.ts'

/** Stock that orders want: summed per SKU and location over all of them. */
export interface Demand {
  readonly sku: string
  readonly location_id: string
  readonly quantity: number
  /** True: what is not available is backordered. */
  readonly may_wait: boolean
}

/**
 * The reservation of one order; `later` is what orders after it in the same placement want of the same level,
 * `waiting_id` the id of the reservation for what has to wait.
 */
export interface Reserving extends Pick<Selectable<Reservations>, 'id' | 'sku' | 'location_id' | 'quantity'> {
  readonly order_id: string
  readonly waiting_id: string | null
  readonly movement_id: string
  readonly later: number
}

/** What the reservations and movements of one order have in common. */
export interface ReservingOrder extends Pick<Selectable<Reservations>, 'state' | 'expires_at'> {
  readonly order_id: string
  readonly actor: { readonly type: string; readonly id: string }
  readonly request_id: string
  readonly occurred_at: Date
}

/** A line of which a part may wait; `before` is what lines and orders before it want of the same level. */
export interface WaitingLine extends Omit<Demand, 'may_wait'> {
  readonly order_id: string
  readonly position: number
  readonly before: number
}

export interface Placement {
  readonly orders: readonly OrderRow[]
  readonly lines: readonly (LineRow & { readonly order_id: string })[]
  readonly demand: readonly Demand[]
  readonly reserving: readonly ReservingOrder[]
  readonly reservations: readonly Reserving[]
  readonly patient: readonly WaitingLine[]
}

/** Units of a line that have to wait. */
export type Backordered = Pick<WaitingLine, 'order_id' | 'position' | 'quantity'>

/**
 * Places orders in one statement: locks the stock rows in the order of (SKU, location), reserves under the guard that
 * enough is available, and inserts orders, lines, reservations and stock movements. Where a SKU may wait, orders take
 * what is there in their order, unless others wait already. Returns what has to wait.
 * @throws OutOfStock naming each of the lines `asked` for that is short; RunAgain when the number, or the source and
 * external id, was taken at the same moment.
 */
export async function insertOrders(
  work: Work,
  { orders, lines, demand, reserving, reservations, patient }: Placement,
  asked: readonly { readonly sku: string }[],
): Promise<readonly Backordered[]> {
  const parameters = [
    [...new Set(demand.map(({ location_id }) => location_id))],
    ...orderArrays.parameters(orders),
    ...demandArrays.parameters(demand),
    ...lineArrays.parameters(lines),
    ...reservingArrays.parameters(reserving),
    ...reservationArrays.parameters(reservations),
    ...patientArrays.parameters(patient),
  ]
  try {
    return await runSql<Backordered>(work.db, placeText, parameters)
  } catch (error) {
    const shortages = raisedBy(error, 'PU001')
    if (shortages !== null) throw outOfStock(asked, JSON.parse(shortages) as Shortage[])
    const taken = violates(error, 'orders_external_key') || violates(error, 'orders_number_key')
    throw taken ? new RunAgain('number or external id taken at the same moment', { cause: error }) : error
  }
}

const orderArrays = columnArrays({
  id: 'token',
  number: 'token',
  status: 'token',
  source: 'text',
  external_id: 'text',
  location_id: 'token',
  payment_terms: 'token',
  currency: 'token',
  items_amount: 'bigint',
  discount_amount: 'bigint',
  shipping_amount: 'bigint',
  tax_amount: 'bigint',
  total_amount: 'bigint',
  metadata: 'jsonb',
  expires_at: 'timestamptz(3)',
  placed_at: 'timestamptz(3)',
  confirmed_at: 'timestamptz(3)',
  closed_at: 'timestamptz(3)',
  version: 'integer',
  created_at: 'timestamptz(3)',
  updated_at: 'timestamptz(3)',
  discounts: 'jsonb',
  shipping: 'jsonb',
  taxes: 'jsonb',
  customer: 'jsonb',
  shipping_address: 'jsonb',
  billing_address: 'jsonb',
  notes: 'text',
  cancel_reason: 'text',
} satisfies Record<(typeof orderColumns)[number], ColumnType>)
const demandArrays = columnArrays({ sku: 'text', location_id: 'token', quantity: 'integer', may_wait: 'boolean' })
const lineArrays = columnArrays({
  order_id: 'token',
  position: 'integer',
  id: 'token',
  sku: 'text',
  title: 'text',
  tracked: 'boolean',
  quantity: 'integer',
  quantity_cancelled: 'integer',
  quantity_fulfilled: 'integer',
  unit_price_amount: 'bigint',
  discount_amount: 'bigint',
  tax_amount: 'bigint',
  total_amount: 'bigint',
  metadata: 'jsonb',
} satisfies Record<'order_id' | Exclude<(typeof lineColumns)[number], 'quantity_backordered'>, ColumnType>)
const reservingArrays = columnArrays({
  order_id: 'token',
  state: 'token',
  expires_at: 'timestamptz(3)',
  actor: 'jsonb',
  request_id: 'token',
  occurred_at: 'timestamptz(3)',
})
const reservationArrays = columnArrays({
  id: 'token',
  waiting_id: 'token',
  movement_id: 'token',
  order_id: 'token',
  sku: 'text',
  location_id: 'token',
  quantity: 'integer',
  later: 'integer',
})
const patientArrays = columnArrays({
  order_id: 'token',
  position: 'integer',
  sku: 'text',
  location_id: 'token',
  quantity: 'integer',
  before: 'integer',
})
const firstOrder = 2
const firstDemand = firstOrder + orderArrays.width
const firstLine = firstDemand + demandArrays.width
const firstReserving = firstLine + lineArrays.width
const firstReservation = firstReserving + reservingArrays.width
const firstPatient = firstReservation + reservationArrays.width

// The guard reads what was locked: the same columns of `s` are looked at as of the statement's start, before the wait.
const reservationFacts = 'order_id, sku, location_id'
const movementFacts = 'actor, request_id, occurred_at'
const reservationMarks = 'expires_at, version, created_at, updated_at'
const placeText = `with demand as (
    select * from ${demandArrays.from('d', firstDemand)}
  ), locked as (
    select sku, location_id, on_hand - reserved - safety_stock as available, backordered from stock_levels
    where organization_id = current_setting('app.organization_id') and sku = any($${firstDemand})
      and location_id = any($1)
    order by sku, location_id for no key update
  ), share as (
    select d.sku, d.location_id, d.quantity as wanted, case
        when not d.may_wait then d.quantity
        when l.backordered > 0 then 0
        else least(greatest(l.available, 0), d.quantity)
      end as taken
    from demand d join locked l using (sku, location_id)
    where d.may_wait or l.available >= d.quantity
  ), reserved as (
    update stock_levels s set reserved = s.reserved + h.taken, backordered = s.backordered + h.wanted - h.taken
    from share h
    where s.organization_id = current_setting('app.organization_id')
      and s.sku = h.sku and s.location_id = h.location_id
    returning s.sku, s.location_id, s.on_hand, s.reserved, h.wanted, h.taken
  ), wanted as (
    select m.*, o.state, o.expires_at, o.actor, o.request_id, o.occurred_at, 1 as version,
      o.occurred_at as created_at, o.occurred_at as updated_at,
      r.on_hand, r.reserved - greatest(0, r.taken - r.wanted + m.later) as reserved,
      greatest(0, least(m.quantity, r.taken - r.wanted + m.later + m.quantity)) as taken
    from ${reservationArrays.from('m', firstReservation)}
    join ${reservingArrays.from('o', firstReserving)} using (order_id)
    join reserved r using (sku, location_id)
  ), waiting as (
    select w.order_id, w.position, w.quantity - greatest(0, least(w.quantity, r.taken - w.before)) as units
    from ${patientArrays.from('w', firstPatient)}
    join reserved r using (sku, location_id)
  ), new_orders as (
    insert into orders (${orderArrays.names}) select ${orderArrays.names} from ${orderArrays.from('o', firstOrder)}
  ), new_lines as (
    insert into order_lines (${lineArrays.names}, quantity_backordered)
    select ${lineArrays.names}, coalesce(units, 0) from ${lineArrays.from('l', firstLine)}
    left join waiting using (order_id, position)
  ), new_reservations as (
    insert into reservations (id, ${reservationFacts}, quantity, state, ${reservationMarks})
    select id, ${reservationFacts}, taken, state, ${reservationMarks} from wanted where taken > 0
    union all
    select waiting_id, ${reservationFacts}, quantity - taken, 'backordered', ${reservationMarks} from wanted
    where taken < quantity
  ), new_movements as (
    insert into stock_movements (id, sku, location_id, type, on_hand_change, reserved_change, on_hand, reserved, order_id, ${movementFacts})
    select movement_id, sku, location_id, 'reserve', 0, taken, on_hand, reserved, order_id, ${movementFacts}
    from wanted where taken > 0
  )
  select order_id, position, units as quantity from waiting where units > 0
  union all
  select refuse_shortages(json_agg(json_build_object('sku', d.sku, 'quantity', d.quantity,
    'available', coalesce(l.available, 0)))), null, null
  from demand d left join locked l using (sku, location_id) left join reserved r using (sku, location_id)
  where r.sku is null having count(*) > 0`
