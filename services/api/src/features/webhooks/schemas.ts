import { type Static, Type } from '@sinclair/typebox'
import { typePatterns } from '#features/ledger/index.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Metadata, Source, Text, Timestamp, Version } from '#platform/wire.ts'

/** Endpoints of one organization; deleted ones do not count. */
export const mostEndpoints = 50

const Url = Text(2_048, { description: 'https, port 443 or 8443; redirects are not followed' })
const Description = Nullable(Type.String({ maxLength: 500 }))
const Ordering = OneOf(['none', 'perResource'], {
  description: 'perResource: events of one resource arrive in order, each after the one before it has arrived',
})
const MaxConcurrency = Type.Integer({ minimum: 1, maximum: 100, description: 'Most requests at a time' })
const Sources = Type.Array(Source, {
  maxItems: 50,
  uniqueItems: true,
  description: 'When not empty, only orders of these sources are told',
})
const Patterns = Type.Array(OneOf(typePatterns), {
  minItems: 1,
  maxItems: 200,
  uniqueItems: true,
  description: 'Types of events: `order.placed`, `order.*` for all of a resource, `*` for all',
})

const endpoint = {
  id: Id('whe'),
  url: Url,
  description: Description,
  types: Type.Array(Text(64), { maxItems: 200 }),
  allowedSources: Sources,
  ordering: Ordering,
  state: OneOf(['active', 'failing', 'disabled'], {
    description: 'failing: it is probed, and gets what waits with the first answer; disabled: nothing is sent',
  }),
  disabledReason: Nullable(Text(200)),
  maxConcurrency: MaxConcurrency,
  failingSince: Nullable(Timestamp),
  metadata: Metadata,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
}

export const WebhookEndpoint = component('WebhookEndpoint', Type.Object(endpoint, closed))
export type WebhookEndpoint = Static<typeof WebhookEndpoint>

export const NewWebhookSecret = component(
  'NewWebhookSecret',
  Type.Object(
    {
      ...endpoint,
      secret: Type.String({
        pattern: '^whsec_[A-Za-z0-9+/]{43}=$',
        maxLength: 50,
        description: 'Signs what is sent, after Standard Webhooks. It is shown this once.',
      }),
      previousSecretExpiresAt: Nullable(
        Type.String({ format: 'date-time', maxLength: 24, description: 'Until then the secret before signs as well' }),
      ),
    },
    closed,
  ),
)
export type NewWebhookSecret = Static<typeof NewWebhookSecret>

const optional = {
  description: Type.Optional(Description),
  types: Type.Optional(Patterns),
  allowedSources: Type.Optional(Sources),
  ordering: Type.Optional(Ordering),
  maxConcurrency: Type.Optional(MaxConcurrency),
  metadata: Type.Optional(Metadata),
}

export const CreateWebhookEndpoint = component(
  'CreateWebhookEndpoint',
  Type.Object(
    { url: Url, ...optional },
    { ...closed, examples: [{ url: 'https://hooks.shop.example/purser', types: ['order.cancelled', 'stock.low'] }] },
  ),
)
export type CreateWebhookEndpoint = Static<typeof CreateWebhookEndpoint>

export const UpdateWebhookEndpoint = component(
  'UpdateWebhookEndpoint',
  Type.Object(
    { url: Type.Optional(Url), ...optional },
    { ...closed, minProperties: 1, examples: [{ types: ['order.placed', 'order.cancelled'] }] },
  ),
)
export type UpdateWebhookEndpoint = Static<typeof UpdateWebhookEndpoint>

export const EndpointParams = Type.Object({ endpointId: Id('whe') }, closed)
