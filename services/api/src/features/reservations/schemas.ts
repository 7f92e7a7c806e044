import { type Static, Type } from '@sinclair/typebox'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Metadata, Sku, Timestamp, Version } from '#platform/wire.ts'

export const reservationStates = ['backordered', 'held', 'firm', 'consumed', 'released', 'expired'] as const
const State = OneOf(reservationStates, {
  description:
    'backordered: waits for stock; held: until expiresAt; firm: of a confirmed order; consumed, released, expired: over',
})
const Quantity = Type.Integer({ minimum: 1, maximum: 1_000_000_000 })
const minutesPerMonth = 43_200
export const defaultMinutes = 30

export const Reservation = component(
  'Reservation',
  Type.Object(
    {
      id: Id('rsv'),
      orderId: Nullable(Id('ord', 'Null for a reservation that stands alone')),
      sku: Sku,
      locationId: Id('loc'),
      quantity: Quantity,
      state: State,
      expiresAt: Nullable(Timestamp),
      metadata: Metadata,
      version: Version,
      createdAt: Timestamp,
      updatedAt: Timestamp,
    },
    closed,
  ),
)
export type Reservation = Static<typeof Reservation>

export const CreateReservation = component(
  'CreateReservation',
  Type.Object(
    {
      sku: Sku,
      quantity: Quantity,
      locationId: Type.Optional(Id('loc', 'Where the stock is held; the default location if not given')),
      expiresInMinutes: Type.Optional(
        Type.Integer({ minimum: 1, maximum: minutesPerMonth, description: `${defaultMinutes} if not given` }),
      ),
      metadata: Type.Optional(Metadata),
    },
    { ...closed, examples: [{ sku: '85123A', quantity: 2, expiresInMinutes: 15 }] },
  ),
)
export type CreateReservation = Static<typeof CreateReservation>

export const ReservationParams = Type.Object({ reservationId: Id('rsv') }, closed)
export const reservationFilter = {
  orderId: Type.Optional(Id('ord')),
  sku: Type.Optional(Sku),
  state: Type.Optional(Type.Array(OneOf(reservationStates), { maxItems: reservationStates.length })),
}
