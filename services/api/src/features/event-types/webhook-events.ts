import { type Static, Type } from '@sinclair/typebox'
import { WebhookEndpoint } from '#features/webhooks/index.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Text, Timestamp, Version } from '#platform/wire.ts'
import { type Definitions, define } from './definition.ts'

const Delivery = component(
  'WebhookDeliverySnapshot',
  Type.Object(
    {
      id: Id('dlv'),
      endpointId: Id('whe'),
      eventId: Id('evt'),
      eventType: Text(64),
      sequence: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      resourceId: Text(200),
      replayOf: Nullable(Id('dlv')),
      state: OneOf(['pending', 'sending', 'delivered', 'dead', 'cancelled']),
      attempts: Type.Integer({ minimum: 0, maximum: 1_000 }),
      lastStatus: Nullable(Type.Integer({ minimum: 100, maximum: 999 })),
      lastError: Nullable(Text(1_000)),
      dueAt: Nullable(Timestamp),
      createdAt: Timestamp,
      deliveredAt: Nullable(Timestamp),
      version: Version,
    },
    { ...closed, description: 'A webhook delivery as the ledger keeps it' },
  ),
)

const at = '2026-01-15T09:30:00.000Z'
const endpoint: WebhookEndpoint = {
  id: 'whe_01jd0000000000000000000001',
  url: 'https://example.com/hooks',
  description: null,
  types: ['order.*'],
  allowedSources: [],
  ordering: 'none',
  state: 'active',
  disabledReason: null,
  maxConcurrency: 5,
  failingSince: null,
  metadata: {},
  version: 1,
  createdAt: at,
  updatedAt: at,
}
const delivery: Static<typeof Delivery> = {
  id: 'dlv_01jd0000000000000000000001',
  endpointId: endpoint.id,
  eventId: 'evt_01jd0000000000000000000002',
  eventType: 'order.placed',
  sequence: 4_700,
  resourceId: 'ord_01jd0000000000000000000001',
  replayOf: null,
  state: 'dead',
  attempts: 3,
  lastStatus: 500,
  lastError: null,
  dueAt: null,
  createdAt: at,
  deliveredAt: null,
  version: 1,
}
const ofEndpoint = (description: string, version: number, fields: Partial<typeof endpoint>) =>
  define('webhookEndpoint', description, WebhookEndpoint, {
    resourceId: endpoint.id,
    version,
    changed: version === 1 ? [] : Object.keys(fields),
    data: { ...endpoint, ...fields, version },
  })

export const webhookEvents: Definitions<'webhook'> = {
  'webhook.endpointCreated': ofEndpoint('An endpoint was registered', 1, {}),
  'webhook.endpointUpdated': ofEndpoint('An endpoint was changed, switched, or given another secret', 2, {
    types: ['order.placed'],
  }),
  'webhook.endpointDeleted': ofEndpoint('An endpoint was deleted: nothing is sent to it from now on', 2, {
    state: 'disabled',
    disabledReason: 'deleted',
  }),
  'webhook.endpointFailing': ofEndpoint('Deliveries to an endpoint fail: they wait while it is probed', 2, {
    state: 'failing',
    failingSince: at,
  }),
  'webhook.endpointRecovered': ofEndpoint('An endpoint answers again, and gets what waited', 3, { state: 'active' }),
  'webhook.endpointDisabled': ofEndpoint('An endpoint answered 410: nothing is sent to it from now on', 2, {
    state: 'disabled',
    disabledReason: 'gone',
  }),
  'webhook.deliveryDead': define('webhookDelivery', 'The last attempt of a delivery failed', Delivery, {
    resourceId: delivery.id,
    version: 1,
    changed: ['state'],
    data: delivery,
  }),
}
