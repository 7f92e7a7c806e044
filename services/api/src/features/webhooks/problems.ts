import { defineProblem } from '#platform/problem.ts'

export const WebhookEndpointNotFound = defineProblem({
  status: 404,
  code: 'WEBHOOK_ENDPOINT_NOT_FOUND',
  title: 'There is no such webhook endpoint',
})
export const WebhookUrlRefused = defineProblem({
  status: 422,
  code: 'WEBHOOK_URL_REFUSED',
  title: 'Webhooks cannot be sent to this URL',
  advice:
    'The URL must be https, without user name or password, on port 443 or 8443, and every address of its host must be a public one.',
})
export const TooManyWebhookEndpoints = defineProblem({
  status: 409,
  code: 'TOO_MANY_WEBHOOK_ENDPOINTS',
  title: 'The organization has as many webhook endpoints as it may have',
  advice: 'Delete one that is not needed, or let one endpoint hear of more types.',
})
export const WebhookEndpointDisabled = defineProblem({
  status: 409,
  code: 'WEBHOOK_ENDPOINT_DISABLED',
  title: 'Nothing is sent to a webhook endpoint that is disabled',
  advice: 'Enable the endpoint first.',
})
export const WebhookBacklogRemains = defineProblem({
  status: 409,
  code: 'WEBHOOK_BACKLOG_REMAINS',
  title: 'What waited for the webhook endpoint when it was disabled is still being cancelled',
  advice: 'Enable it again a few seconds later.',
  retryable: true,
})
