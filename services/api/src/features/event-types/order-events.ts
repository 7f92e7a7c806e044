import { OrderSnapshot } from '#features/orders/index.ts'
import { type Definitions, define, type EventDefinition } from './definition.ts'

type Snapshot = typeof OrderSnapshot.static

const at = '2026-01-15T09:30:00.000Z'
const gbp = (amount: number) => ({ amount, currency: 'GBP' })
const order: Snapshot = {
  id: 'ord_01jd0000000000000000000001',
  number: '20260115-00000001',
  status: 'pending',
  paymentStatus: 'unpaid',
  fulfillmentStatus: 'unfulfilled',
  returnStatus: 'none',
  source: 'shop',
  externalId: '536365',
  locationId: 'loc_01jd0000000000000000000001',
  paymentTerms: 'onAccount',
  totals: { items: gbp(1_530), discount: gbp(0), shipping: gbp(495), tax: gbp(405), total: gbp(2_430) },
  placedAt: at,
  confirmedAt: null,
  expiresAt: null,
  closedAt: null,
  metadata: {},
  version: 1,
  createdAt: at,
  updatedAt: at,
  cancelReason: null,
  holds: [],
  discounts: [],
  shipping: [{ description: 'Parcel', amount: gbp(495) }],
  taxes: [],
  lines: [
    {
      id: 'lin_01jd0000000000000000000001',
      sku: '85123A',
      title: 'White hanging heart T-light holder',
      quantity: 6,
      quantityCancelled: 0,
      quantityFulfilled: 0,
      quantityBackordered: 0,
      unitPrice: gbp(255),
      discount: gbp(0),
      tax: gbp(405),
      total: gbp(1_935),
      metadata: {},
    },
  ],
}
const [line] = order.lines
const hold = {
  id: 'hld_01jd0000000000000000000001',
  kind: 'manual',
  blocks: 'fulfill',
  reason: 'Address to be checked',
  createdAt: at,
} as const
const confirmed = { status: 'confirmed', confirmedAt: at } as const

const ofOrder = (
  description: string,
  changed: readonly string[],
  fields: Partial<Snapshot>,
  version = 3,
): EventDefinition =>
  define('order', description, OrderSnapshot, {
    resourceId: order.id,
    version,
    changed,
    data: { ...order, ...fields, version },
  })

export const orderEvents: Definitions<'order'> = {
  'order.drafted': ofOrder('A draft was written: priced, nothing reserved', [], { status: 'draft', placedAt: null }, 1),
  'order.placed': ofOrder('An order was placed, and its stock reserved', [], {}, 1),
  'order.confirmed': ofOrder(
    'An order was confirmed; one that owes nothing now is so at once',
    ['status', 'confirmedAt'],
    confirmed,
    2,
  ),
  'order.updated': ofOrder('Fields of an order changed, or its lines got stock they waited for', ['metadata'], {
    ...confirmed,
    metadata: { invoice: 'R-2026-17' },
  }),
  'order.lineCancelled': ofOrder('Units of a line were cancelled', ['lines', 'totals'], {
    ...confirmed,
    lines: line ? [{ ...line, quantityCancelled: 2 }] : [],
  }),
  'order.holdAdded': ofOrder('A step of an order was blocked', ['holds'], { ...confirmed, holds: [hold] }),
  'order.holdReleased': ofOrder('A step of an order was unblocked', ['holds'], confirmed),
  'order.cancelled': ofOrder(
    'An order was cancelled, and its stock given back',
    ['status', 'cancelReason', 'closedAt'],
    {
      ...confirmed,
      status: 'cancelled',
      cancelReason: 'customer',
      closedAt: at,
    },
  ),
  'order.expired': ofOrder(
    'An order was not paid in time, and its stock given back',
    ['status', 'closedAt'],
    { paymentTerms: 'prepaid', status: 'expired', expiresAt: at, closedAt: at },
    2,
  ),
}
