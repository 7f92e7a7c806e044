export { auditExportJobs } from './jobs.ts'
export { auditExportRoutes } from './routes.ts'
export { LedgerExport } from './schemas.ts'
