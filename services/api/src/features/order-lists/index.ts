export { orderListRoutes } from './routes.ts'
