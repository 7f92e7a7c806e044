export { createFeeds, type Feeds } from './feeds.ts'
export { eventJson } from './present.ts'
export { eventRoutes } from './routes.ts'
export { typePatterns, typesMatching } from './type-patterns.ts'
