import { defineProblem } from '#platform/problem.ts'

export const WebhookDeliveryNotFound = defineProblem({
  status: 404,
  code: 'WEBHOOK_DELIVERY_NOT_FOUND',
  title: 'There is no such webhook delivery',
})
export const WebhookEndpointDeleted = defineProblem({
  status: 409,
  code: 'WEBHOOK_ENDPOINT_DELETED',
  title: 'The endpoint of this delivery was deleted',
  advice: 'Replay the event to an endpoint that is there.',
})
