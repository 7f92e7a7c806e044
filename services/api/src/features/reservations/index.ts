export { reservationJobs } from './jobs.ts'
export { reservationRoutes } from './routes.ts'
export { Reservation } from './schemas.ts'
