import type { FastifyInstance } from 'fastify'
import { OutOfStock, UnknownStockItem } from '#features/inventory/index.ts'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { createReservation } from './create-reservation.ts'
import { ReservationNotFound, ReservationNotHeld, ReservationOfOrder } from './problems.ts'
import { getReservation, listReservations } from './read-reservations.ts'
import { releaseReservation } from './release-reservation.ts'
import { CreateReservation, Reservation, ReservationParams, reservationFilter } from './schemas.ts'

export function reservationRoutes(app: FastifyInstance): void {
  app.route(
    command({
      id: 'reservations.create',
      summary: 'Hold stock for a while',
      description: 'Takes stock off sale without an order, until it is released or its time is up.',
      method: 'POST',
      url: '/v1/reservations',
      status: 201,
      scope: 'stock:write',
      idempotency: 'required',
      body: CreateReservation,
      returns: Reservation,
      problems: [OutOfStock, UnknownStockItem],
      location: ({ id }) => `/v1/reservations/${id}`,
      handle: (work, { body }) => createReservation(work, body),
    }),
  )
  app.route(
    list({
      id: 'reservations.list',
      summary: 'List reservations, newest first',
      url: '/v1/reservations',
      scope: 'stock:read',
      filter: reservationFilter,
      item: Reservation,
      problems: [],
      handle: (view, { filter, page }) => listReservations(view, filter, page),
    }),
  )
  app.route(
    query({
      id: 'reservations.get',
      summary: 'Read a reservation',
      url: '/v1/reservations/:reservationId',
      scope: 'stock:read',
      params: ReservationParams,
      returns: Reservation,
      problems: [ReservationNotFound],
      handle: (view, { params }) => getReservation(view, params.reservationId),
    }),
  )
  app.route(
    command({
      id: 'reservations.release',
      summary: 'Release a reservation',
      description: 'Gives back the stock of a reservation that stands alone. Those of an order end with the order.',
      method: 'POST',
      url: '/v1/reservations/:reservationId/release',
      status: 200,
      scope: 'stock:write',
      idempotency: 'required',
      ifMatch: 'optional',
      params: ReservationParams,
      returns: Reservation,
      problems: [ReservationNotFound, ReservationNotHeld, ReservationOfOrder],
      handle: (work, { params, expected }) => releaseReservation(work, params.reservationId, expected),
    }),
  )
}
