export { reservationJobs } from './jobs.ts'
export { reservationRoutes } from './routes.ts'
