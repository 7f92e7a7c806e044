import { type TSchema, Type } from '@sinclair/typebox'
import { type EventType, eventTypes } from '#platform/ledger.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, RequestId, Text, Timestamp } from '#platform/wire.ts'
import { accountEvents } from './account-events.ts'
import { auditEvents } from './audit-events.ts'
import type { EventDefinition } from './definition.ts'
import { jobEvents } from './job-events.ts'
import { orderEvents } from './order-events.ts'
import { catalogEvents, stockEvents } from './stock-events.ts'
import { webhookEvents } from './webhook-events.ts'

/** Every type of event: a type without a definition does not compile. */
export const definitions: Readonly<Record<EventType, EventDefinition>> = {
  ...accountEvents,
  ...catalogEvents,
  ...stockEvents,
  ...orderEvents,
  ...webhookEvents,
  ...jobEvents,
  ...auditEvents,
}

const EventActor = component(
  'EventActor',
  Type.Object(
    { type: Text(64), id: Text(64), keyId: Nullable(Id('key')) },
    { ...closed, description: 'Who did it: the principal of an API key, or the service itself' },
  ),
)

const wireEvent = (type: EventType, { resourceType, data, description }: EventDefinition): TSchema =>
  Type.Object(
    {
      id: Id('evt'),
      sequence: Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Without gaps, from 1 on, in each organization',
      }),
      type: OneOf([type]),
      schemaVersion: Type.Integer({ minimum: 1, maximum: 1_000 }),
      occurredAt: Timestamp,
      actor: EventActor,
      requestId: RequestId,
      resource: Type.Object(
        {
          type: OneOf([resourceType]),
          id: Text(200),
          version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
        },
        closed,
      ),
      changed: Type.Array(Text(64), { maxItems: 100, description: 'Names of fields; empty for a new resource' }),
      data,
    },
    { ...closed, description },
  )

/** `order.placed` → `OrderPlacedEvent`. */
export const schemaName = (type: EventType): string =>
  `${type.replace(/(?:^|\.)([a-z])/g, (_match, letter: string) => letter.toUpperCase())}Event`

const members = eventTypes.map((type) => ({
  type,
  schema: component(schemaName(type), wireEvent(type, definitions[type])),
}))

component(
  'Event',
  Type.Unsafe({
    oneOf: members.map(({ schema }) => schema),
    discriminator: {
      propertyName: 'type',
      mapping: Object.fromEntries(eventTypes.map((type) => [type, `#/components/schemas/${schemaName(type)}`])),
    },
    description: 'What happened to one resource, and what it was then',
  }),
)

/** An event of this type as a reader may get it. */
export function sampleOf(type: EventType) {
  const { resourceType, sample } = definitions[type]
  return {
    id: 'evt_01jd0000000000000000000001',
    sequence: 4_711,
    type,
    schemaVersion: 1,
    occurredAt: '2026-01-15T09:30:00.000Z',
    actor: { type: 'apiKey', id: 'usr_01jd0000000000000000000001', keyId: 'key_01jd0000000000000000000001' },
    requestId: 'req_01jd0000000000000000000001',
    resource: { type: resourceType, id: sample.resourceId, version: sample.version },
    changed: sample.changed,
    data: sample.data,
  }
}
