export { expireOrderJob, orderJobs } from './jobs.ts'
export { orderChangeRoutes } from './routes.ts'
