import { isOrderOf, typesMatching } from '#features/ledger/index.ts'
import type { EndpointRow } from './repository.ts'

export type Subscription = Pick<EndpointRow, 'id' | 'types' | 'allowed_sources'>

/** What decides whether an endpoint hears of an event. */
export interface Occurrence {
  readonly type: string
  readonly resourceType: string
  /** Of an order: where it came from. */
  readonly source: string | null
  /** Of an event of webhooks: the endpoint it is about. */
  readonly aboutEndpointId: string | null
}

/**
 * Whether an endpoint hears of an event: its patterns name the type, one that is bound to sources hears of orders of
 * these alone, and none hears about itself, for each failure would cause the next.
 */
export function hearsOf({ id, types, allowed_sources }: Subscription): (event: Occurrence) => boolean {
  const named = typesMatching(types) as ReadonlySet<string> | null
  const sources = allowed_sources.length === 0 ? null : new Set(allowed_sources)
  return ({ type, resourceType, source, aboutEndpointId }) => {
    if (aboutEndpointId === id || (named !== null && !named.has(type))) return false
    return sources === null || isOrderOf(sources, resourceType, source)
  }
}
