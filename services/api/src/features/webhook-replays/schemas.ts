import { type Static, Type } from '@sinclair/typebox'
import { typePatterns } from '#features/ledger/index.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Text, Timestamp } from '#platform/wire.ts'

export const deliveryStates = ['pending', 'sending', 'delivered', 'dead', 'cancelled'] as const

/** Events that one replay looks at. */
export const mostReplayed = 1_000

const State = OneOf(deliveryStates, {
  description: 'dead: its attempts have failed, it waits for the endpoint to recover or a redrive; cancelled: not sent',
})
const Sequence = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000_000 })
const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })
const Status = Nullable(Type.Integer({ minimum: 100, maximum: 999, description: 'Null: no answer' }))
const Failure = Nullable(Type.String({ maxLength: 1_000, description: 'Why there was no answer, or which one it was' }))

const delivery = {
  id: Id('dlv'),
  endpointId: Id('whe'),
  eventId: Id('evt'),
  eventType: Text(64),
  sequence: Type.Integer({ ...Sequence, description: 'Of the event; 0 for a test, which is in no list of events' }),
  resourceId: Text(200),
  replayOf: Nullable(Id('dlv', 'The first delivery of the event to this endpoint')),
  state: State,
  attempts: Count,
  lastStatus: Status,
  lastError: Failure,
  dueAt: Nullable(Timestamp),
  createdAt: Timestamp,
  deliveredAt: Nullable(Timestamp),
}

export const WebhookDelivery = component('WebhookDelivery', Type.Object(delivery, closed))
export type WebhookDelivery = Static<typeof WebhookDelivery>

export const WebhookAttempt = component(
  'WebhookAttempt',
  Type.Object(
    {
      id: Id('wat'),
      number: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
      at: Timestamp,
      durationMs: Count,
      status: Status,
      error: Failure,
      responseExcerpt: Nullable(Type.String({ maxLength: 1_024, description: 'The first 1 kB of the answer' })),
    },
    closed,
  ),
)
export type WebhookAttempt = Static<typeof WebhookAttempt>

/** Attempts that are shown; a delivery that is redriven again and again may have more. */
export const mostAttemptsShown = 100

export const WebhookDeliveryWithAttempts = component(
  'WebhookDeliveryWithAttempts',
  Type.Object(
    {
      ...delivery,
      attemptLog: Type.Array(WebhookAttempt, { maxItems: mostAttemptsShown, description: 'The latest, in order' }),
    },
    closed,
  ),
)
export type WebhookDeliveryWithAttempts = Static<typeof WebhookDeliveryWithAttempts>

export const deliveryFilter = {
  endpointId: Type.Optional(Id('whe')),
  eventId: Type.Optional(Id('evt')),
  state: Type.Optional(Type.Array(State, { maxItems: deliveryStates.length, uniqueItems: true })),
  type: Type.Optional(Text(64, { description: 'Type of the event: order.placed' })),
  createdFrom: Type.Optional(Timestamp),
  createdTo: Type.Optional(Timestamp),
}

export const ReplayWebhooks = component(
  'ReplayWebhooks',
  Type.Object(
    {
      afterSequence: Type.Optional(Type.Integer({ ...Sequence, description: 'Events after this one; 0 if not given' })),
      upToSequence: Type.Optional(
        Type.Integer({ ...Sequence, description: 'Up to this one; the newest if not given' }),
      ),
      eventId: Type.Optional(Id('evt', 'This event alone')),
      resourceId: Type.Optional(Text(200, { description: 'Events of this resource alone' })),
      types: Type.Optional(Type.Array(OneOf(typePatterns), { minItems: 1, maxItems: 200, uniqueItems: true })),
      onlyMissing: Type.Optional(
        Type.Boolean({ description: 'Only what has not arrived and is not on its way; false if not given' }),
      ),
    },
    {
      ...closed,
      description: `What to send again, of what the endpoint hears of. Looks at up to ${mostReplayed} events: go on from lastSequence.`,
      examples: [{ afterSequence: 4_700, types: ['order.*'], onlyMissing: true }],
    },
  ),
)
export type ReplayWebhooks = Static<typeof ReplayWebhooks>

export const WebhookReplay = component(
  'WebhookReplay',
  Type.Object(
    {
      deliveries: Type.Integer({ ...Count, description: 'How many are sent' }),
      lastSequence: Nullable(
        Type.Integer({ ...Sequence, description: 'Go on with it as afterSequence; null: the range is done' }),
      ),
      floorSequence: Type.Integer({ ...Sequence, description: 'Events up to this one are no longer kept' }),
    },
    closed,
  ),
)
export type WebhookReplay = Static<typeof WebhookReplay>

export const WebhookRedrive = component(
  'WebhookRedrive',
  Type.Object(
    {
      deliveries: Type.Integer({
        ...Count,
        description: 'How many are sent; those that wait for a later attempt as well',
      }),
      hasMore: Type.Boolean({ description: 'Whether there are more; they follow within minutes' }),
    },
    closed,
  ),
)
export type WebhookRedrive = Static<typeof WebhookRedrive>

export const DeliveryParams = Type.Object({ deliveryId: Id('dlv') }, closed)
