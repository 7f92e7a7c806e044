export { stockAuditJobs } from './jobs.ts'
