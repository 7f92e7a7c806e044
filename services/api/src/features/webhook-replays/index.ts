export { webhookReplayRoutes } from './routes.ts'
