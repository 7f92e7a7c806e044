import type { Actor } from '#platform/actor.ts'
import type { PublishedEvent } from '#platform/event-chain.ts'
import type { EventQuery } from './schemas.ts'
import { typesMatching } from './type-patterns.ts'

/** Which events somebody reads. */
export interface EventFilter {
  /** Null: all types. */
  readonly types: ReadonlySet<string> | null
  /** Id of the one resource; null: all of them. */
  readonly resource: string | null
  /** Sources of the orders that may be seen; null: all orders. */
  readonly sources: ReadonlySet<string> | null
}

/** What was asked for, within what the credential may see. */
export const filterOf = ({ types, resource }: EventQuery, { sources }: Actor): EventFilter => ({
  types: typesMatching(types),
  resource: resource ?? null,
  sources,
})

export const everything: EventFilter = { types: null, resource: null, sources: null }

/** The same in memory as the repository does in SQL. */
export function passes({ types, resource, sources }: EventFilter, event: PublishedEvent): boolean {
  if (types !== null && !types.has(event.type)) return false
  if (resource !== null && event.resource.id !== resource) return false
  return sources === null || event.resource.type !== 'order' || sources.has(sourceOf(event.data))
}

const sourceOf = (data: unknown): string => (data as { readonly source?: string | null }).source ?? ''
