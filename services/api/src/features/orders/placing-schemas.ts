import { type Static, Type } from '@sinclair/typebox'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { Currency, closed, Id, Metadata, Money, Price, Sku, Source, Text } from '#platform/wire.ts'
import { Address, Customer, ExternalId, maxAmounts, Notes, Order, PaymentTerms, Quantity, Totals } from './schemas.ts'

export const PlaceOrderLine = component(
  'PlaceOrderLine',
  Type.Object(
    {
      sku: Sku,
      quantity: Quantity,
      unitPrice: Type.Optional(Price),
      discount: Type.Optional(Price),
      tax: Type.Optional(Price),
      metadata: Type.Optional(Metadata),
    },
    {
      ...closed,
      description: 'total = quantity × unitPrice − discount + tax. Discount and tax are those of all units together.',
    },
  ),
)

export const PlaceOrderAmount = component(
  'PlaceOrderAmount',
  Type.Object({ description: Text(200), amount: Price }, closed),
)
const amounts = (description: string) =>
  Type.Optional(Type.Array(PlaceOrderAmount, { maxItems: maxAmounts, description }))

const basket = {
  paymentTerms: Type.Optional(PaymentTerms),
  currency: Type.Optional(Currency),
  locationId: Type.Optional(Id('loc', 'Where the stock is taken from; the default location if not given')),
  lines: Type.Array(PlaceOrderLine, { minItems: 1, maxItems: 1_000 }),
  discounts: amounts('Off the order as a whole; giving one needs the scope orders:price'),
  shipping: amounts('Of the order as a whole'),
  taxes: amounts('On the order as a whole'),
}

export const PlaceOrder = component(
  'PlaceOrder',
  Type.Object(
    {
      ...basket,
      draft: Type.Optional(
        Type.Boolean({ description: 'True: priced and kept, nothing reserved, until orders.placeDraft places it' }),
      ),
      source: Type.Optional(Source),
      externalId: Type.Optional(ExternalId),
      customer: Type.Optional(Customer),
      shippingAddress: Type.Optional(Address),
      billingAddress: Type.Optional(Address),
      notes: Type.Optional(Notes),
      metadata: Type.Optional(Metadata),
    },
    {
      ...closed,
      dependentRequired: { source: ['externalId'], externalId: ['source'] },
      examples: [{ paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 6 }] }],
    },
  ),
)
export type PlaceOrder = Static<typeof PlaceOrder>

export const maxBatch = 500

export const PlaceOrders = component(
  'PlaceOrders',
  Type.Object(
    { orders: Type.Array(PlaceOrder, { minItems: 1, maxItems: maxBatch }) },
    { ...closed, examples: [{ orders: [{ paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 6 }] }] }] },
  ),
)
export type PlaceOrders = Static<typeof PlaceOrders>

const longText = 2_000

/** The facts of the problem that placing the order alone would have answered. */
export const OrderRefusal = component(
  'OrderRefusal',
  Type.Object(
    {
      status: Type.Integer({ minimum: 400, maximum: 499 }),
      code: Text(64),
      title: Text(200),
      detail: Text(longText),
      retryable: Type.Boolean(),
      errors: Type.Array(
        Type.Object(
          {
            field: Text(longText),
            pointer: Text(longText, { description: 'Into the body of the batch' }),
            code: Text(64),
            message: Text(longText),
          },
          closed,
        ),
        { maxItems: 1_000 },
      ),
    },
    closed,
  ),
)
export type OrderRefusal = Static<typeof OrderRefusal>

const Placed = component('PlacedResult', Type.Object({ status: OneOf(['placed']), order: Order }, closed))
const Refused = component('RefusedResult', Type.Object({ status: OneOf(['refused']), problem: OrderRefusal }, closed))

export const PlacedOrders = component(
  'PlacedOrders',
  Type.Object(
    {
      results: Type.Array(Type.Union([Placed, Refused]), {
        maxItems: maxBatch,
        description: 'One for each order, in the order of the request',
      }),
    },
    closed,
  ),
)
export type PlacedOrders = Static<typeof PlacedOrders>

export const QuoteOrder = component(
  'QuoteOrder',
  Type.Object(basket, {
    ...closed,
    examples: [{ paymentTerms: 'onAccount', lines: [{ sku: '85123A', quantity: 6 }] }],
  }),
)
export type QuoteOrder = Static<typeof QuoteOrder>

export const Quote = component(
  'Quote',
  Type.Object(
    {
      placeable: Type.Boolean({ description: 'Whether the order could be placed now' }),
      locationId: Id('loc'),
      totals: Totals,
      lines: Type.Array(
        Type.Object(
          {
            sku: Sku,
            title: Text(500),
            quantity: Quantity,
            unitPrice: Money,
            priceSource: OneOf(['catalog', 'request']),
            discount: Money,
            tax: Money,
            total: Money,
          },
          closed,
        ),
        { maxItems: 1_000 },
      ),
      stock: Type.Array(
        Type.Object(
          {
            sku: Sku,
            policy: OneOf(['deny', 'backorder', 'untracked']),
            requested: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'Over all lines of the SKU' }),
            available: Nullable(Type.Integer({ minimum: -2_000_000_000, maximum: 1_000_000_000 })),
            backordered: Type.Integer({
              minimum: 0,
              maximum: 1_000_000_000,
              description: 'Units that would wait for stock',
            }),
            sufficient: Type.Boolean({ description: 'Whether it could be placed; backordered units do not hinder' }),
          },
          closed,
        ),
        { maxItems: 1_000 },
      ),
    },
    closed,
  ),
)
export type Quote = Static<typeof Quote>
