export { eventTypeRoutes } from './routes.ts'
export { documentedWebhooks } from './webhooks.ts'
