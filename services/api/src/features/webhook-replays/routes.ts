import type { FastifyInstance } from 'fastify'
import { EndpointParams, WebhookEndpointDisabled, WebhookEndpointNotFound } from '#features/webhooks/index.ts'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { WebhookDeliveryNotFound, WebhookEndpointDeleted } from './problems.ts'
import { getDelivery, listDeliveries } from './read-deliveries.ts'
import { redriveEndpoint, repeatDelivery, replayRange, testEndpoint } from './replay.ts'
import {
  DeliveryParams,
  deliveryFilter,
  ReplayWebhooks,
  WebhookDelivery,
  WebhookDeliveryWithAttempts,
  WebhookRedrive,
  WebhookReplay,
} from './schemas.ts'

const post = { method: 'POST', scope: 'webhooks:write', idempotency: 'optional' } as const
const toPoll = ({ id }: { readonly id: string }): string => `/v1/webhook-deliveries/${id}`

export function webhookReplayRoutes(app: FastifyInstance): void {
  app.route(
    command({
      ...post,
      id: 'webhookEndpoints.test',
      summary: 'Send a test event to a webhook endpoint',
      description:
        'A real delivery of the event `webhook.test`, to this endpoint alone, whatever its state. It is tried once; read the delivery to learn the outcome.',
      url: '/v1/webhook-endpoints/:endpointId/test',
      status: 202,
      params: EndpointParams,
      returns: WebhookDelivery,
      problems: [WebhookEndpointNotFound],
      location: toPoll,
      handle: (work, { params }) => testEndpoint(work, params.endpointId),
    }),
  )
  app.route(
    command({
      ...post,
      id: 'webhookEndpoints.replay',
      summary: 'Send events of the past to a webhook endpoint',
      description: 'One event, those of a range, or only what has not arrived. They keep their ids and bytes.',
      url: '/v1/webhook-endpoints/:endpointId/replay',
      status: 200,
      params: EndpointParams,
      body: ReplayWebhooks,
      returns: WebhookReplay,
      problems: [WebhookEndpointNotFound, WebhookEndpointDisabled],
      handle: (work, { params, body }) => replayRange(work, params.endpointId, body),
    }),
  )
  app.route(
    command({
      ...post,
      id: 'webhookEndpoints.redrive',
      summary: 'Send the dead deliveries of a webhook endpoint again',
      url: '/v1/webhook-endpoints/:endpointId/redrive',
      status: 200,
      params: EndpointParams,
      returns: WebhookRedrive,
      problems: [WebhookEndpointNotFound, WebhookEndpointDisabled],
      handle: (work, { params }) => redriveEndpoint(work, params.endpointId),
    }),
  )
  app.route(
    list({
      id: 'webhookDeliveries.list',
      summary: 'List webhook deliveries, newest first',
      url: '/v1/webhook-deliveries',
      scope: 'webhooks:read',
      filter: deliveryFilter,
      item: WebhookDelivery,
      problems: [],
      handle: (view, { filter, page }) => listDeliveries(view, filter, page),
    }),
  )
  app.route(
    query({
      id: 'webhookDeliveries.get',
      summary: 'Read a webhook delivery and its attempts',
      url: '/v1/webhook-deliveries/:deliveryId',
      scope: 'webhooks:read',
      params: DeliveryParams,
      returns: WebhookDeliveryWithAttempts,
      problems: [WebhookDeliveryNotFound],
      handle: (view, { params }) => getDelivery(view, params.deliveryId),
    }),
  )
  app.route(
    command({
      ...post,
      id: 'webhookDeliveries.replay',
      summary: 'Send the event of a webhook delivery once more',
      description: 'As a delivery of its own, with the same event id and bytes.',
      url: '/v1/webhook-deliveries/:deliveryId/replay',
      status: 202,
      params: DeliveryParams,
      returns: WebhookDelivery,
      problems: [WebhookDeliveryNotFound, WebhookEndpointDeleted, WebhookEndpointDisabled],
      location: toPoll,
      handle: (work, { params }) => repeatDelivery(work, params.deliveryId),
    }),
  )
}
