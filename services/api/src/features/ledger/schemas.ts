import { type Static, type TObject, Type } from '@sinclair/typebox'
import type { ReadyJson } from '#platform/ready-json.ts'
import { OneOf } from '#platform/schema.ts'
import { closed, Id, Text } from '#platform/wire.ts'
import { typePatterns } from './type-patterns.ts'

/** The union of all events; `features/event-types` declares it. It is answered byte by byte as `eventJson` made it. */
export const Event = Type.Unsafe<ReadyJson>(Type.Ref('Event'))

export const EventParams = Type.Object({ eventId: Id('evt') }, closed)

export const eventFilter = {
  types: Type.Optional(
    Type.Array(OneOf(typePatterns), {
      maxItems: 50,
      description: 'Only these types: order.placed, or order.* for all of a resource; all of them if not given',
    }),
  ),
  resource: Type.Optional(Text(200, { description: 'Only events of the resource with this id' })),
}
export type EventQuery = Static<TObject<typeof eventFilter>>
