import type { FastifyInstance } from 'fastify'
import { command, groupedCommand } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { placeBatch } from './place-batch.ts'
import { placeOrders, readSaleTerms } from './place-order.ts'
import { PlacedOrders, PlaceOrder, PlaceOrders, Quote, QuoteOrder } from './placing-schemas.ts'
import {
  AmountTooLarge,
  CurrencyMismatch,
  DiscountTooLarge,
  DuplicateExternalId,
  OrderNotFound,
  OutOfStock,
  PriceMissing,
  PriceNotAllowed,
  SourceNotAllowed,
  UnknownLocation,
  UnknownSku,
} from './problems.ts'
import { quoteOrder } from './quote-order.ts'
import { getExternalOrder, getOrder, readTimeline } from './read-orders.ts'
import { ExternalOrderParams, Order, OrderParams, TimelineEntry } from './schemas.ts'

const pricing = [
  UnknownSku,
  PriceMissing,
  PriceNotAllowed,
  CurrencyMismatch,
  UnknownLocation,
  AmountTooLarge,
  DiscountTooLarge,
]

export function orderRoutes(app: FastifyInstance): void {
  const terms = { paymentWindowMs: app.kernel.config.ORDER_PAYMENT_WINDOW_MINUTES * 60_000 }

  app.route(
    groupedCommand({
      id: 'orders.place',
      summary: 'Place an order',
      description:
        'Prices it, reserves its stock and records it, at most once per Idempotency-Key. onAccount orders are confirmed at once; prepaid ones wait for payment until expiresAt; drafts are only priced and kept.',
      method: 'POST',
      url: '/v1/orders',
      status: 201,
      scope: 'orders:write',
      idempotency: 'required',
      body: PlaceOrder,
      returns: Order,
      problems: [OutOfStock, DuplicateExternalId, SourceNotAllowed, ...pricing],
      location: ({ id }) => `/v1/orders/${id}`,
      prepareGroup: (view, inputs) =>
        readSaleTerms(
          view,
          inputs.map(({ body }) => body),
        ),
      handleGroup: (items, sale) =>
        placeOrders(
          items.map(({ work, input }) => ({ work, input: input.body })),
          sale,
          terms,
        ),
    }),
  )
  app.route(
    command({
      id: 'orders.placeBatch',
      summary: 'Place up to 500 orders',
      description:
        'Each order is placed wholly or refused alone, in the order of the batch: what an order takes, those after it do not find. The refusals are part of the answer, which a retry with the same key repeats.',
      method: 'POST',
      url: '/v1/orders/batch',
      status: 200,
      scope: 'orders:write',
      idempotency: 'required',
      body: PlaceOrders,
      returns: PlacedOrders,
      problems: [],
      handle: (work, { body }) => placeBatch(work, body, terms),
    }),
  )
  app.route(
    query({
      id: 'orders.quote',
      summary: 'Quote an order',
      description: 'Prices and stock of an order that is not placed. Writes nothing.',
      method: 'POST',
      url: '/v1/orders/quote',
      scope: 'orders:read',
      body: QuoteOrder,
      returns: Quote,
      problems: pricing,
      handle: (view, { body }) => quoteOrder(view, body),
    }),
  )
  app.route(
    query({
      id: 'orders.get',
      summary: 'Read an order',
      url: '/v1/orders/:orderId',
      scope: 'orders:read',
      params: OrderParams,
      returns: Order,
      problems: [OrderNotFound],
      handle: (view, { params }) => getOrder(view, params.orderId),
    }),
  )
  app.route(
    query({
      id: 'orders.getByExternalId',
      summary: 'Read an order by source and external id',
      url: '/v1/orders/external/:source/:externalId',
      scope: 'orders:read',
      params: ExternalOrderParams,
      returns: Order,
      problems: [OrderNotFound],
      handle: (view, { params }) => getExternalOrder(view, params.source, params.externalId),
    }),
  )
  app.route(
    list({
      id: 'orders.timeline',
      summary: 'List what happened to an order, oldest first',
      url: '/v1/orders/:orderId/timeline',
      scope: 'orders:read',
      params: OrderParams,
      filter: {},
      item: TimelineEntry,
      problems: [OrderNotFound],
      handle: (view, { params, page }) => readTimeline(view, params.orderId, page),
    }),
  )
}
