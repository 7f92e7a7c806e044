export { stockMarkJobs } from './jobs.ts'
