import { type Static, Type } from '@sinclair/typebox'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { scopes } from '#platform/scopes.ts'
import { Currency, closed, Id, Metadata, Source, Text, Timestamp, Version } from '#platform/wire.ts'

const Scopes = Type.Array(OneOf(scopes), { minItems: 1, maxItems: scopes.length, uniqueItems: true })
const Cidrs = Type.Array(Type.String({ maxLength: 49 }), {
  maxItems: 50,
  description: 'Address ranges that may use it; empty: all of them',
})
const Sources = Type.Array(Source, {
  maxItems: 50,
  uniqueItems: true,
  description:
    'Sources of the orders it may place and see, and whose events are all it sees of events; empty: all orders and events',
})
const RatePerMinute = Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Requests per minute' })

export const Organization = component(
  'Organization',
  Type.Object(
    {
      id: Id('org'),
      name: Text(200),
      currency: Currency,
      metadata: Metadata,
      version: Version,
      createdAt: Timestamp,
      updatedAt: Timestamp,
    },
    closed,
  ),
)
export type Organization = Static<typeof Organization>

export const UpdateOrganization = component(
  'UpdateOrganization',
  Type.Object(
    { name: Type.Optional(Text(200)), metadata: Type.Optional(Metadata) },
    { ...closed, minProperties: 1, examples: [{ name: 'Acme Ltd' }] },
  ),
)
export type UpdateOrganization = Static<typeof UpdateOrganization>

const apiKey = {
  id: Id('key'),
  principalId: Id('usr', 'Who the key acts as; the same after a rotation'),
  name: Text(200),
  mode: OneOf(['live', 'test']),
  hint: Type.String({ maxLength: 16, description: 'End of the secret, to recognise it by' }),
  scopes: Type.Array(OneOf(scopes), { maxItems: scopes.length }),
  rateLimitPerMinute: Nullable(RatePerMinute),
  allowedCidrs: Cidrs,
  allowedSources: Sources,
  status: OneOf(['active', 'expired', 'revoked']),
  expiresAt: Nullable(Timestamp),
  revokedAt: Nullable(Timestamp),
  lastUsedAt: Nullable(Timestamp),
  metadata: Metadata,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
}

export const ApiKey = component('ApiKey', Type.Object(apiKey, closed))
export type ApiKey = Static<typeof ApiKey>

export const NewApiKey = component(
  'NewApiKey',
  Type.Object(
    {
      ...apiKey,
      secret: Type.String({
        pattern: '^sk_(live|test)_[0-9A-Za-z]{46}$',
        maxLength: 54,
        description: 'The key itself. It is shown this once.',
      }),
    },
    closed,
  ),
)
export type NewApiKey = Static<typeof NewApiKey>

export const CreateApiKey = component(
  'CreateApiKey',
  Type.Object(
    {
      name: Text(200),
      scopes: Scopes,
      mode: Type.Optional(OneOf(['live', 'test'])),
      rateLimitPerMinute: Type.Optional(RatePerMinute),
      allowedCidrs: Type.Optional(Cidrs),
      allowedSources: Type.Optional(Sources),
      expiresAt: Type.Optional(Timestamp),
      metadata: Type.Optional(Metadata),
    },
    { ...closed, examples: [{ name: 'Web shop', scopes: ['orders:read', 'orders:write'] }] },
  ),
)
export type CreateApiKey = Static<typeof CreateApiKey>

export const RotateApiKey = component(
  'RotateApiKey',
  Type.Object(
    {
      overlapSeconds: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 604_800,
          default: 3_600,
          description: 'How long the old secret still works',
        }),
      ),
    },
    { ...closed, examples: [{ overlapSeconds: 3600 }] },
  ),
)
export type RotateApiKey = Static<typeof RotateApiKey>

export const Me = component(
  'Me',
  Type.Object(
    {
      type: OneOf(['apiKey']),
      principalId: Id('usr'),
      scopes: Type.Array(OneOf(scopes), { maxItems: scopes.length }),
      limits: Type.Object({ requestsPerMinute: Type.Integer({ minimum: 1, maximum: 100_000_000 }) }, closed),
      apiKey: ApiKey,
      organization: Organization,
    },
    closed,
  ),
)
export type Me = Static<typeof Me>

export const ApiKeyParams = Type.Object({ apiKeyId: Id('key') }, closed)
