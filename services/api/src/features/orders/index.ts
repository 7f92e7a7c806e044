export { orderJobs } from './jobs.ts'
export { presentSnapshot } from './present.ts'
export { type OrderWithLines, selectOrdersWithLines } from './repository.ts'
export { orderRoutes } from './routes.ts'
