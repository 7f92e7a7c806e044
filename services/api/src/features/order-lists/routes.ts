import type { FastifyInstance } from 'fastify'
import { OrderSummary } from '#features/orders/index.ts'
import { list, table } from '#http/query.ts'
import { listOrders, tabulateOrders } from './list-orders.ts'
import { orderFilter } from './schemas.ts'

export function orderListRoutes(app: FastifyInstance): void {
  app.route(
    list({
      id: 'orders.list',
      summary: 'List orders, newest first',
      url: '/v1/orders',
      scope: 'orders:read',
      filter: orderFilter,
      item: OrderSummary,
      problems: [],
      handle: (view, { filter, page }) => listOrders(view, filter, page),
    }),
  )
  app.route(
    table({
      id: 'orders.tabulate',
      summary: 'List orders by page number',
      description: 'For tables of people; what goes through all orders uses orders.list, which has no end.',
      url: '/v1/orders/table',
      scope: 'orders:read',
      filter: orderFilter,
      item: OrderSummary,
      problems: [],
      handle: (view, { filter, page }) => tabulateOrders(view, filter, page),
    }),
  )
}
