import { type Static, type TObject, Type } from '@sinclair/typebox'
import { orderStatuses } from '#features/orders/index.ts'
import { OneOf } from '#platform/schema.ts'
import { Source, Text, Timestamp } from '#platform/wire.ts'

export const orderSorts = ['-createdAt', 'createdAt', '-placedAt', 'placedAt'] as const

const prefix = Text(128, {
  minLength: 3,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  description: 'Start of the number or of the external id; finds the last 1,000 of each',
})

export const orderFilter = {
  status: Type.Optional(Type.Array(OneOf(orderStatuses), { maxItems: orderStatuses.length })),
  source: Type.Optional(Source),
  email: Type.Optional(Type.String({ format: 'email', maxLength: 254, description: 'Of the customer, in any case' })),
  number: Type.Optional(Text(40)),
  q: Type.Optional(prefix),
  placedFrom: Type.Optional(Timestamp),
  placedTo: Type.Optional(Timestamp),
  sort: Type.Optional(
    OneOf(orderSorts, {
      description:
        '- for newest first. If not given: -placedAt with placedFrom or placedTo, else -createdAt. By placedAt leaves out drafts, which have not been placed.',
    }),
  ),
}
export type OrderFilter = Static<TObject<typeof orderFilter>>

/** Times of placing come with the order in which an index has them. */
export const sortOf = ({ sort, placedFrom, placedTo }: OrderFilter): (typeof orderSorts)[number] =>
  sort ?? (placedFrom === undefined && placedTo === undefined ? '-createdAt' : '-placedAt')
