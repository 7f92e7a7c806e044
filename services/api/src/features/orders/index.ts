export { orderJobs } from './jobs.ts'
export { orderRoutes } from './routes.ts'
