import type { Scope } from './scopes.ts'

/** Who acts: the principal behind a verified credential, or the service itself in a job. */
export interface Actor {
  readonly type: 'apiKey' | 'system'
  /** Stays the same when a key is rotated. */
  readonly principalId: string
  readonly keyId: string | null
  readonly organizationId: string
  readonly scopes: ReadonlySet<Scope>
  /** Sources of the orders it may place and see; null: all orders. */
  readonly sources: ReadonlySet<string> | null
}

/** The actor of work that nobody asked for: timers, sweeps, seeds. */
export function systemActor(organizationId: string, name: string): Actor {
  return { type: 'system', principalId: name, keyId: null, organizationId, scopes: new Set(), sources: null }
}
