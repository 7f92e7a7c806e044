import { type Static, Type } from '@sinclair/typebox'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import {
  ActorName,
  closed,
  Id,
  Metadata,
  Money,
  RequestId,
  Sku,
  Source,
  Text,
  Timestamp,
  Version,
} from '#platform/wire.ts'
import { heldSteps, holdKinds, orderActions, orderStatuses } from './status.ts'

export const paymentTerms = ['prepaid', 'onAccount'] as const
export const PaymentTerms = OneOf(paymentTerms, {
  description:
    'onAccount: confirmed at once and settled later; prepaid, the default: waits for payment until expiresAt',
})
export const ExternalId = Text(128, {
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  description: "The channel's own id of the order",
})
/** Most discounts, most taxes, most shipping amounts of one order. */
export const maxAmounts = 100
const contactText = (maxLength: number) => Type.Optional(Text(maxLength))

export const Customer = component(
  'Customer',
  Type.Object(
    {
      name: contactText(200),
      email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
      phone: contactText(40),
      externalId: contactText(128),
    },
    closed,
  ),
)
export const Address = component(
  'Address',
  Type.Object(
    {
      name: contactText(200),
      company: contactText(200),
      line1: Text(200),
      line2: contactText(200),
      city: Text(100),
      region: contactText(100),
      postalCode: contactText(20),
      country: Type.String({ pattern: '^[A-Z]{2}$', maxLength: 2, description: 'ISO 3166-1 alpha-2' }),
      phone: contactText(40),
    },
    closed,
  ),
)

export const Notes = Type.String({ maxLength: 2_000 })
export const Quantity = Type.Integer({ minimum: 1, maximum: 1_000_000 })
const Units = Type.Integer({ minimum: 0, maximum: 1_000_000 })

export const Totals = component(
  'OrderTotals',
  Type.Object({ items: Money, discount: Money, shipping: Money, tax: Money, total: Money }, closed),
)

export const OrderLine = component(
  'OrderLine',
  Type.Object(
    {
      id: Id('lin'),
      sku: Sku,
      title: Text(500),
      quantity: Quantity,
      quantityCancelled: Units,
      quantityFulfilled: Units,
      quantityBackordered: Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Units that wait for stock' }),
      unitPrice: Money,
      discount: Money,
      tax: Money,
      total: Money,
      metadata: Metadata,
    },
    closed,
  ),
)

const summary = {
  id: Id('ord'),
  number: Text(40, { description: 'For people: on invoices, parcels, the phone' }),
  status: OneOf(orderStatuses),
  paymentStatus: OneOf(['unpaid', 'authorized', 'partiallyPaid', 'paid', 'partiallyRefunded', 'refunded']),
  fulfillmentStatus: OneOf(['unfulfilled', 'partiallyFulfilled', 'fulfilled']),
  returnStatus: OneOf(['none', 'requested', 'returned']),
  source: Nullable(Source),
  externalId: Nullable(ExternalId),
  locationId: Id('loc'),
  paymentTerms: PaymentTerms,
  totals: Totals,
  placedAt: Nullable(Timestamp),
  confirmedAt: Nullable(Timestamp),
  expiresAt: Nullable(Timestamp),
  closedAt: Nullable(Timestamp),
  metadata: Metadata,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
}

export const OrderSummary = component('OrderSummary', Type.Object(summary, closed))
export type OrderSummary = Static<typeof OrderSummary>

export const OrderAmount = component(
  'OrderAmount',
  Type.Object({ description: Text(200), amount: Money }, { ...closed, description: 'An amount of the order itself' }),
)
export type OrderAmount = Static<typeof OrderAmount>
const amounts = (description: string) => Type.Array(OrderAmount, { maxItems: maxAmounts, description })

export const maxHolds = 50

export const OrderHold = component(
  'OrderHold',
  Type.Object(
    {
      id: Id('hld'),
      kind: OneOf(holdKinds, { description: 'Who waits for what; manual ones are released by hand' }),
      blocks: OneOf(heldSteps, { description: 'The step that does not happen before the hold is released' }),
      reason: Nullable(Text(200)),
      createdAt: Timestamp,
    },
    closed,
  ),
)
export type OrderHold = Static<typeof OrderHold>

const snapshot = {
  ...summary,
  cancelReason: Nullable(Text(200)),
  holds: Type.Array(OrderHold, { maxItems: maxHolds, description: 'Those that are not released' }),
  discounts: amounts('Off the order as a whole, beside the discounts of its lines'),
  shipping: amounts('Of the order as a whole'),
  taxes: amounts('On the order as a whole, beside the taxes of its lines'),
  lines: Type.Array(OrderLine, { maxItems: 1_000 }),
}

export const OrderSnapshot = component(
  'OrderSnapshot',
  Type.Object(snapshot, { ...closed, description: 'An order as the ledger keeps it: without personal fields' }),
)
export type OrderSnapshot = Static<typeof OrderSnapshot>

export const Order = component(
  'Order',
  Type.Object(
    {
      ...snapshot,
      customer: Nullable(Customer),
      shippingAddress: Nullable(Address),
      billingAddress: Nullable(Address),
      notes: Nullable(Notes),
      allowedActions: Type.Array(OneOf(orderActions), {
        maxItems: orderActions.length,
        description: 'What this caller may do now',
      }),
    },
    closed,
  ),
)
export type Order = Static<typeof Order>

export const TimelineEntry = component(
  'TimelineEntry',
  Type.Object(
    {
      id: Id('evt'),
      type: Text(64, { description: 'order.placed, order.confirmed …' }),
      occurredAt: Timestamp,
      actor: ActorName,
      requestId: RequestId,
      version: Type.Integer({
        minimum: 1,
        maximum: 2_147_483_647,
        description: 'The version of the order this led to',
      }),
      changed: Type.Array(Text(64), { maxItems: 100 }),
      order: OrderSnapshot,
    },
    closed,
  ),
)
export type TimelineEntry = Static<typeof TimelineEntry>

export const OrderParams = Type.Object({ orderId: Id('ord') }, closed)
export const ExternalOrderParams = Type.Object({ source: Source, externalId: ExternalId }, closed)
