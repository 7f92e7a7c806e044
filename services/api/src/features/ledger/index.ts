export { eventJson, type PublishedEvent } from './present.ts'
export { typePatterns, typesMatching } from './type-patterns.ts'
