import { type Static, Type } from '@sinclair/typebox'
import { Address, Customer, heldSteps, Notes } from '#features/orders/index.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Metadata, Price, Text } from '#platform/wire.ts'

export const CancelOrder = component(
  'CancelOrder',
  Type.Object({ reason: Type.Optional(Text(200)) }, { ...closed, examples: [{ reason: 'customer' }] }),
)
export type CancelOrder = Static<typeof CancelOrder>

export const CancelLine = component(
  'CancelLine',
  Type.Object(
    {
      quantity: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          description: 'Units to cancel; all that are left if not given',
        }),
      ),
      discount: Type.Optional(Price),
      tax: Type.Optional(Price),
      reason: Type.Optional(Text(200)),
    },
    {
      ...closed,
      description: 'discount and tax are what those of the line are from now on, for the units that are left',
      examples: [{ quantity: 1, reason: 'customer' }],
    },
  ),
)
export type CancelLine = Static<typeof CancelLine>

export const UpdateOrder = component(
  'UpdateOrder',
  Type.Object(
    {
      customer: Type.Optional(Nullable(Customer)),
      shippingAddress: Type.Optional(Nullable(Address)),
      billingAddress: Type.Optional(Nullable(Address)),
      notes: Type.Optional(Nullable(Notes)),
      metadata: Type.Optional(Metadata),
    },
    {
      ...closed,
      minProperties: 1,
      description: 'Each field that is given replaces what was there as a whole; null takes it away.',
      examples: [{ notes: 'Leave it with the neighbours' }],
    },
  ),
)
export type UpdateOrder = Static<typeof UpdateOrder>

export const AddHold = component(
  'AddHold',
  Type.Object(
    {
      blocks: OneOf(heldSteps, { description: 'The step that does not happen before the hold is released' }),
      reason: Type.Optional(Text(200)),
    },
    { ...closed, examples: [{ blocks: 'fulfill', reason: 'Address to be checked' }] },
  ),
)
export type AddHold = Static<typeof AddHold>

export const LineParams = Type.Object({ orderId: Id('ord'), lineId: Id('lin') }, closed)
export const HoldParams = Type.Object({ orderId: Id('ord'), holdId: Id('hld') }, closed)
