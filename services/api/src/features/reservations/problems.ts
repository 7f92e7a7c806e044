import { defineProblem } from '#platform/problem.ts'

export const ReservationNotFound = defineProblem({
  status: 404,
  code: 'RESERVATION_NOT_FOUND',
  title: 'There is no such reservation',
})
export const ReservationNotHeld = defineProblem({
  status: 409,
  code: 'RESERVATION_NOT_HELD',
  title: 'The reservation has ended already',
})
export const ReservationOfOrder = defineProblem({
  status: 409,
  code: 'RESERVATION_OF_ORDER',
  title: 'The reservation belongs to an order',
  advice: 'Cancel the order, or the part of it that is not wanted; that releases its stock.',
})
