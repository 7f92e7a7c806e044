export { type DeathWatchOptions, watchDeaths } from './jobs.ts'
export { commandDeadLetters } from './operator-command.ts'
export { jobRoutes } from './routes.ts'
export { DeadLetter, Failure, Job } from './schemas.ts'
