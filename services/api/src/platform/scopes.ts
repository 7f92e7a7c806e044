/** What a credential may be allowed to do; every route names the one it needs. */
export const scopes = [
  'organization:read',
  'organization:write',
  'apiKeys:read',
  'apiKeys:write',
  'products:read',
  'products:write',
  'stock:read',
  'stock:write',
  'orders:read',
  'orders:write',
  'orders:price',
  'events:read',
  'jobs:read',
  'jobs:write',
  'webhooks:read',
  'webhooks:write',
  'audit:read',
  'audit:write',
] as const

export type Scope = (typeof scopes)[number]
