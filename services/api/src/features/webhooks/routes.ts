import type { FastifyInstance } from 'fastify'
import { ScopeNotHeld, SourceNotHeld } from '#features/identity/index.ts'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import type { Encryption } from '#platform/encryption.ts'
import type { Outbound } from '#platform/outbound-http.ts'
import { refusalOf } from './check-url.ts'
import { createEndpoint } from './create-endpoint.ts'
import {
  TooManyWebhookEndpoints,
  WebhookBacklogRemains,
  WebhookEndpointNotFound,
  WebhookUrlRefused,
} from './problems.ts'
import { getEndpoint, listEndpoints } from './read-endpoints.ts'
import {
  CreateWebhookEndpoint,
  EndpointParams,
  mostEndpoints,
  NewWebhookSecret,
  UpdateWebhookEndpoint,
  WebhookEndpoint,
} from './schemas.ts'
import { rotateSecret } from './secrets.ts'
import { deleteEndpoint, disableEndpoint, enableEndpoint } from './switch-endpoint.ts'
import { changeEndpoint } from './update-endpoint.ts'

export interface WebhookDependencies {
  readonly encryption: Encryption
  readonly outbound: Pick<Outbound, 'check'>
}

export function webhookRoutes(app: FastifyInstance, { encryption, outbound }: WebhookDependencies): void {
  app.route(
    command({
      id: 'webhookEndpoints.create',
      summary: 'Register a webhook endpoint',
      description: `Events are sent to it from now on. The answer holds the secret that signs them; it is never shown again. An organization has at most ${mostEndpoints}.`,
      method: 'POST',
      url: '/v1/webhook-endpoints',
      status: 201,
      scope: 'webhooks:write',
      idempotency: 'optional',
      confidential: true,
      body: CreateWebhookEndpoint,
      returns: NewWebhookSecret,
      problems: [ScopeNotHeld, SourceNotHeld, WebhookUrlRefused, TooManyWebhookEndpoints],
      location: ({ id }) => `/v1/webhook-endpoints/${id}`,
      prepare: ({ body }) => refusalOf(outbound, body.url),
      handle: (work, { body }, urlRefusal) => createEndpoint(work, body, urlRefusal, encryption),
    }),
  )
  app.route(
    list({
      id: 'webhookEndpoints.list',
      summary: 'List webhook endpoints, newest first',
      url: '/v1/webhook-endpoints',
      scope: 'webhooks:read',
      filter: {},
      item: WebhookEndpoint,
      problems: [],
      handle: (view, { page }) => listEndpoints(view, page),
    }),
  )
  app.route(
    query({
      id: 'webhookEndpoints.get',
      summary: 'Read a webhook endpoint',
      url: '/v1/webhook-endpoints/:endpointId',
      scope: 'webhooks:read',
      params: EndpointParams,
      returns: WebhookEndpoint,
      problems: [WebhookEndpointNotFound],
      handle: (view, { params }) => getEndpoint(view, params.endpointId),
    }),
  )
  app.route(
    command({
      id: 'webhookEndpoints.update',
      summary: 'Change a webhook endpoint',
      description: 'Fields that are not given stay. What is sent from now on goes by the new ones.',
      method: 'PATCH',
      url: '/v1/webhook-endpoints/:endpointId',
      status: 200,
      scope: 'webhooks:write',
      idempotency: 'optional',
      ifMatch: 'required',
      params: EndpointParams,
      body: UpdateWebhookEndpoint,
      returns: WebhookEndpoint,
      problems: [WebhookEndpointNotFound, ScopeNotHeld, SourceNotHeld, WebhookUrlRefused],
      prepare: ({ body }) => refusalOf(outbound, body.url),
      handle: (work, { params, body, expected }, urlRefusal) =>
        changeEndpoint(work, params.endpointId, body, expected, urlRefusal),
    }),
  )
  app.route(
    command({
      id: 'webhookEndpoints.delete',
      summary: 'Delete a webhook endpoint',
      description: 'Nothing more is sent to it. Its deliveries can still be read.',
      method: 'DELETE',
      url: '/v1/webhook-endpoints/:endpointId',
      status: 204,
      scope: 'webhooks:write',
      idempotency: 'optional',
      ifMatch: 'required',
      params: EndpointParams,
      problems: [WebhookEndpointNotFound],
      handle: (work, { params, expected }) => deleteEndpoint(work, params.endpointId, expected),
    }),
  )
  const change = { method: 'POST', status: 200, scope: 'webhooks:write', idempotency: 'optional' } as const
  const one = { ifMatch: 'optional', params: EndpointParams, problems: [WebhookEndpointNotFound] } as const
  app.route(
    command({
      ...change,
      ...one,
      id: 'webhookEndpoints.enable',
      summary: 'Enable a webhook endpoint',
      description: 'Also ends the pauses of one that is failing. What it missed can be replayed.',
      url: '/v1/webhook-endpoints/:endpointId/enable',
      problems: [WebhookEndpointNotFound, WebhookBacklogRemains],
      returns: WebhookEndpoint,
      handle: (work, { params, expected }) => enableEndpoint(work, params.endpointId, expected),
    }),
  )
  app.route(
    command({
      ...change,
      ...one,
      id: 'webhookEndpoints.disable',
      summary: 'Disable a webhook endpoint',
      description: 'Nothing more is sent to it, and what waits is cancelled.',
      url: '/v1/webhook-endpoints/:endpointId/disable',
      returns: WebhookEndpoint,
      handle: (work, { params, expected }) => disableEndpoint(work, params.endpointId, expected),
    }),
  )
  app.route(
    command({
      ...change,
      ...one,
      id: 'webhookEndpoints.rotateSecret',
      summary: 'Rotate the secret of a webhook endpoint',
      description:
        'Answers a new secret, once. For 24 h the old one signs as well, so receivers can change over; one older than that signs no more.',
      url: '/v1/webhook-endpoints/:endpointId/rotate-secret',
      confidential: true,
      returns: NewWebhookSecret,
      handle: (work, { params, expected }) => rotateSecret(work, params.endpointId, expected, encryption),
    }),
  )
}
