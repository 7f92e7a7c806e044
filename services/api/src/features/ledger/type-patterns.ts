import { type EventType, eventTypes } from '#platform/ledger.ts'

/** What a filter by type may say: every type, those of one resource (`order.*`), or one type. */
export const typePatterns: readonly string[] = [
  '*',
  ...new Set(eventTypes.map((type) => `${type.split('.')[0]}.*`)),
  ...eventTypes,
]

/** The types that patterns name; null: all types. */
export function typesMatching(patterns: readonly string[] | undefined): ReadonlySet<string> | null {
  if (patterns === undefined || patterns.length === 0 || patterns.includes('*')) return null
  const named = (type: EventType): boolean => patterns.includes(type) || patterns.includes(`${type.split('.')[0]}.*`)
  return new Set(eventTypes.filter(named))
}
