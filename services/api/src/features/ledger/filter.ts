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
  /** Nothing may be seen but orders of these sources; null: everything. */
  readonly sources: ReadonlySet<string> | null
}

const typesOfOrders = typesMatching(['order.*']) ?? new Set<string>()

/** What was asked for, within what the credential may see. */
export const filterOf = ({ types, resource }: EventQuery, { sources }: Actor): EventFilter => ({
  types: sources === null ? typesMatching(types) : amongOrders(typesMatching(types)),
  resource: resource ?? null,
  sources,
})

/** Whoever may see orders alone need not have all else looked through. */
const amongOrders = (types: ReadonlySet<string> | null): ReadonlySet<string> =>
  types === null ? typesOfOrders : types.intersection(typesOfOrders)

export const everything: EventFilter = { types: null, resource: null, sources: null }

/** The same in memory as the repository does in SQL. */
export function passes({ types, resource, sources }: EventFilter, event: PublishedEvent): boolean {
  if (types !== null && !types.has(event.type)) return false
  if (resource !== null && event.resource.id !== resource) return false
  return sources === null || isOrderOf(sources, event.resource.type, sourceOf(event.data))
}

/** What a key or a webhook endpoint that is bound to sources hears of: their orders, and nothing else. */
export const isOrderOf = (sources: ReadonlySet<string>, resourceType: string, source: string | null): boolean =>
  resourceType === 'order' && source !== null && sources.has(source)

const sourceOf = (data: unknown): string | null => (data as { readonly source?: string | null }).source ?? null
