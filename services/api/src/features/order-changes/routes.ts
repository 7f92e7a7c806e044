import type { FastifyInstance } from 'fastify'
import {
  CurrencyMismatch,
  DiscountTooLarge,
  Order,
  OrderNotFound,
  OrderParams,
  OutOfStock,
  PriceNotAllowed,
  UnknownSku,
} from '#features/orders/index.ts'
import { command } from '#http/command.ts'
import { cancelLine } from './cancel-line.ts'
import { cancelOrder } from './cancel-order.ts'
import { confirmOrder } from './confirm-order.ts'
import { addHold, releaseHold } from './holds.ts'
import { placeDraft } from './place-draft.ts'
import {
  HoldNotFound,
  HoldNotManual,
  LineNotCancellable,
  LineNotFound,
  OrderNotCancellable,
  OrderNotChangeable,
  OrderNotConfirmable,
  OrderNotDraft,
  OrderOnHold,
  PaymentMissing,
  TooManyHolds,
} from './problems.ts'
import { AddHold, CancelLine, CancelOrder, HoldParams, LineParams, UpdateOrder } from './schemas.ts'
import { updateOrder } from './update-order.ts'

const change = { status: 200, scope: 'orders:write', params: OrderParams, returns: Order } as const

export function orderChangeRoutes(app: FastifyInstance): void {
  const terms = { paymentWindowMs: app.kernel.config.ORDER_PAYMENT_WINDOW_MINUTES * 60_000 }

  app.route(
    command({
      ...change,
      id: 'orders.update',
      summary: 'Change customer, addresses, notes or metadata of an order',
      method: 'PATCH',
      url: '/v1/orders/:orderId',
      idempotency: 'optional',
      ifMatch: 'required',
      body: UpdateOrder,
      problems: [OrderNotFound, OrderNotChangeable],
      handle: (work, { params, body, expected }) => updateOrder(work, params.orderId, body, expected),
    }),
  )
  app.route(
    command({
      ...change,
      id: 'orders.placeDraft',
      summary: 'Place a draft',
      description:
        'Reserves the stock of a draft and places it at the prices it was drafted with; from then on it is like any other order.',
      method: 'POST',
      url: '/v1/orders/:orderId/place',
      idempotency: 'required',
      ifMatch: 'optional',
      problems: [OrderNotFound, OrderNotDraft, UnknownSku, OutOfStock],
      handle: (work, { params, expected }) => placeDraft(work, params.orderId, expected, terms),
    }),
  )
  app.route(
    command({
      ...change,
      id: 'orders.confirm',
      summary: 'Confirm a pending order',
      description: 'No hold may block it. Orders on account can always be confirmed, prepaid ones once they are paid.',
      method: 'POST',
      url: '/v1/orders/:orderId/confirm',
      idempotency: 'optional',
      ifMatch: 'optional',
      problems: [OrderNotFound, OrderNotConfirmable, OrderOnHold, PaymentMissing],
      handle: (work, { params, expected }) => confirmOrder(work, params.orderId, expected),
    }),
  )
  app.route(
    command({
      ...change,
      id: 'orders.cancel',
      summary: 'Cancel an order',
      description:
        'Ends an order of which nothing has shipped, and gives its stock back. Its totals stay what they were.',
      method: 'POST',
      url: '/v1/orders/:orderId/cancel',
      idempotency: 'optional',
      ifMatch: 'optional',
      body: CancelOrder,
      problems: [OrderNotFound, OrderNotCancellable],
      handle: (work, { params, body, expected }) => cancelOrder(work, params.orderId, body, expected),
    }),
  )
  app.route(
    command({
      ...change,
      id: 'orders.cancelLine',
      summary: 'Cancel a line of an order, or part of it',
      description:
        'Gives the stock of the units back. From then on the totals are those of the units that are left: discount and tax of the line stay what they were unless new ones are given, and are zero when no unit of it is left. Cancelling the last unit of the order cancels the order.',
      method: 'POST',
      url: '/v1/orders/:orderId/lines/:lineId/cancel',
      idempotency: 'required',
      ifMatch: 'optional',
      params: LineParams,
      body: CancelLine,
      problems: [
        OrderNotFound,
        LineNotFound,
        OrderNotCancellable,
        LineNotCancellable,
        CurrencyMismatch,
        DiscountTooLarge,
        PriceNotAllowed,
      ],
      handle: (work, { params, body, expected }) => cancelLine(work, params, body, expected),
    }),
  )
  app.route(
    command({
      ...change,
      id: 'orders.addHold',
      summary: 'Hold a step of an order back by hand',
      method: 'POST',
      url: '/v1/orders/:orderId/holds',
      idempotency: 'optional',
      ifMatch: 'optional',
      body: AddHold,
      problems: [OrderNotFound, OrderNotChangeable, TooManyHolds],
      handle: (work, { params, body, expected }) => addHold(work, params.orderId, body, expected),
    }),
  )
  app.route(
    command({
      ...change,
      id: 'orders.releaseHold',
      summary: 'Release a manual hold',
      description: 'An order that the hold kept pending is confirmed by `orders.confirm`.',
      method: 'POST',
      url: '/v1/orders/:orderId/holds/:holdId/release',
      idempotency: 'optional',
      ifMatch: 'optional',
      params: HoldParams,
      problems: [OrderNotFound, HoldNotFound, HoldNotManual, OrderNotChangeable],
      handle: (work, { params, expected }) => releaseHold(work, params.orderId, params.holdId, expected),
    }),
  )
}
