import { Type } from '@sinclair/typebox'
import { eventTypes } from '#platform/ledger.ts'
import type { ReadyJson } from '#platform/ready-json.ts'
import { component, OneOf } from '#platform/schema.ts'
import { closed, Text } from '#platform/wire.ts'

const EventTypeDescription = component(
  'EventTypeDescription',
  Type.Object(
    {
      type: OneOf(eventTypes),
      description: Text(500),
      schemaVersion: Type.Integer({ minimum: 1, maximum: 1_000 }),
      resourceType: Text(64),
      schema: Type.Unsafe<object>({
        type: 'object',
        additionalProperties: {},
        maxProperties: 100,
        description: 'JSON Schema (2020-12) of the event; it stands alone',
      }),
      sample: Type.Ref('Event'),
    },
    closed,
  ),
)

export const EventTypeDescriptions = Type.Unsafe<ReadyJson>(Type.Array(EventTypeDescription, { maxItems: 500 }))
