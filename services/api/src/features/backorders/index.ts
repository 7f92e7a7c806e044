export { fillBackorders } from './fill-backorders.ts'
export { backorderJobs } from './jobs.ts'
