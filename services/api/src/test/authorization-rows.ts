import type { Scope } from '#platform/scopes.ts'

/** Who may call an operation, and what its example needs beside the scope of the route. */
export interface Row {
  readonly scope: Scope | null
  readonly alsoNeeds?: readonly Scope[]
  /** What the caller of another tenant, or of an absent object, is told; null: it names no object. */
  readonly absent: { readonly status: number; readonly code: string } | null
}

const noObject = { absent: null }
const notFound = (code: string) => ({ absent: { status: 404, code } })

/** One row per operation, written by hand: what the routes declare is held against it. */
export const rows: Readonly<Record<string, Row>> = {
  'me.get': { scope: null, ...noObject },
  'organization.get': { scope: 'organization:read', ...noObject },
  'organization.update': { scope: 'organization:write', ...noObject },
  'apiKeys.create': { scope: 'apiKeys:write', alsoNeeds: ['orders:read', 'orders:write'], ...noObject },
  'apiKeys.list': { scope: 'apiKeys:read', ...noObject },
  'apiKeys.get': { scope: 'apiKeys:read', ...notFound('API_KEY_NOT_FOUND') },
  'apiKeys.rotate': { scope: 'apiKeys:write', alsoNeeds: ['orders:read'], ...notFound('API_KEY_NOT_FOUND') },
  'apiKeys.revoke': { scope: 'apiKeys:write', ...notFound('API_KEY_NOT_FOUND') },
  'products.create': { scope: 'products:write', ...noObject },
  'products.list': { scope: 'products:read', ...noObject },
  'products.upsertBatch': { scope: 'products:write', ...noObject },
  'products.get': { scope: 'products:read', ...notFound('PRODUCT_NOT_FOUND') },
  'products.update': { scope: 'products:write', ...notFound('PRODUCT_NOT_FOUND') },
  'products.archive': { scope: 'products:write', ...notFound('PRODUCT_NOT_FOUND') },
  'locations.create': { scope: 'stock:write', ...noObject },
  'locations.list': { scope: 'stock:read', ...noObject },
  'locations.get': { scope: 'stock:read', ...notFound('LOCATION_NOT_FOUND') },
  'stock.listLevels': { scope: 'stock:read', ...noObject },
  'stock.getLevel': { scope: 'stock:read', ...notFound('STOCK_LEVEL_NOT_FOUND') },
  'stock.setLevel': { scope: 'stock:write', absent: { status: 422, code: 'UNKNOWN_STOCK_ITEM' } },
  'stock.adjustLevel': { scope: 'stock:write', ...notFound('STOCK_LEVEL_NOT_FOUND') },
  'stock.setBatch': { scope: 'stock:write', ...noObject },
  'stock.listMovements': { scope: 'stock:read', ...notFound('STOCK_LEVEL_NOT_FOUND') },
  'stock.listAllMovements': { scope: 'stock:read', ...noObject },
  'stock.availability': { scope: 'stock:read', ...noObject },
  'reservations.create': { scope: 'stock:write', ...noObject },
  'reservations.list': { scope: 'stock:read', ...noObject },
  'reservations.get': { scope: 'stock:read', ...notFound('RESERVATION_NOT_FOUND') },
  'reservations.release': { scope: 'stock:write', ...notFound('RESERVATION_NOT_FOUND') },
  'orders.place': { scope: 'orders:write', ...noObject },
  'orders.list': { scope: 'orders:read', ...noObject },
  'orders.quote': { scope: 'orders:read', ...noObject },
  'orders.get': { scope: 'orders:read', ...notFound('ORDER_NOT_FOUND') },
  'orders.getByExternalId': { scope: 'orders:read', ...notFound('ORDER_NOT_FOUND') },
  'orders.cancel': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'orders.placeBatch': { scope: 'orders:write', ...noObject },
  'orders.tabulate': { scope: 'orders:read', ...noObject },
  'orders.update': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'orders.placeDraft': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'orders.confirm': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'orders.cancelLine': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'orders.addHold': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'orders.releaseHold': { scope: 'orders:write', ...notFound('ORDER_NOT_FOUND') },
  'events.list': { scope: 'events:read', ...noObject },
  'events.get': { scope: 'events:read', ...notFound('EVENT_NOT_FOUND') },
  'events.stream': { scope: 'events:read', ...noObject },
  'events.types': { scope: 'events:read', ...noObject },
  'jobs.list': { scope: 'jobs:read', ...noObject },
  'jobs.get': { scope: 'jobs:read', ...notFound('JOB_NOT_FOUND') },
  'jobs.retry': { scope: 'jobs:write', ...notFound('JOB_NOT_FOUND') },
  'jobs.cancel': { scope: 'jobs:write', ...notFound('JOB_NOT_FOUND') },
  'deadLetters.list': { scope: 'jobs:read', ...noObject },
  'deadLetters.redrive': { scope: 'jobs:write', ...notFound('DEAD_LETTER_NOT_FOUND') },
  'deadLetters.redriveAll': { scope: 'jobs:write', ...noObject },
  'webhookEndpoints.create': { scope: 'webhooks:write', alsoNeeds: ['events:read'], ...noObject },
  'webhookEndpoints.list': { scope: 'webhooks:read', ...noObject },
  'webhookEndpoints.get': { scope: 'webhooks:read', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.update': {
    scope: 'webhooks:write',
    alsoNeeds: ['events:read'],
    ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND'),
  },
  'webhookEndpoints.delete': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.enable': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.disable': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.rotateSecret': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.test': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.replay': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookEndpoints.redrive': { scope: 'webhooks:write', ...notFound('WEBHOOK_ENDPOINT_NOT_FOUND') },
  'webhookDeliveries.list': { scope: 'webhooks:read', ...noObject },
  'webhookDeliveries.get': { scope: 'webhooks:read', ...notFound('WEBHOOK_DELIVERY_NOT_FOUND') },
  'webhookDeliveries.replay': { scope: 'webhooks:write', ...notFound('WEBHOOK_DELIVERY_NOT_FOUND') },
  'orders.timeline': { scope: 'orders:read', ...notFound('ORDER_NOT_FOUND') },
  'audit.list': { scope: 'audit:read', ...noObject },
  'audit.verify': { scope: 'audit:read', ...noObject },
  'audit.getVerification': { scope: 'audit:read', ...notFound('VERIFICATION_NOT_FOUND') },
  'audit.signCheckpoint': { scope: 'audit:write', ...noObject },
  'audit.listCheckpoints': { scope: 'audit:read', ...noObject },
  'audit.getCheckpoint': { scope: 'audit:read', ...notFound('CHECKPOINT_NOT_FOUND') },
  'audit.export': { scope: 'audit:read', ...noObject },
  'audit.getExport': { scope: 'audit:read', ...notFound('EXPORT_NOT_FOUND') },
  'audit.readExport': { scope: 'audit:read', ...notFound('EXPORT_NOT_FOUND') },
}

/** Everything that answers without a credential. */
export const publicRoutes: readonly string[] = [
  '/',
  '/openapi.json',
  '/.well-known/jwks.json',
  '/openapi.yaml',
  '/problems',
  '/problems/:slug',
  '/health',
  '/health/live',
  '/health/ready',
  '/ready',
]
/** The Swagger UI: a plugin's own routes, all below one address. */
export const publicPrefix = '/docs'
