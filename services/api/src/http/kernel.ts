import type { FastifyInstance } from 'fastify'
import type { Actor } from '#platform/actor.ts'
import type { Alerts } from '#platform/alerts.ts'
import type { Config } from '#platform/config.ts'
import type { Scope } from '#platform/scopes.ts'
import type { UnitOfWork } from '#platform/work.ts'
import type { Cursors } from './cursor.ts'
import type { Trace } from './trace.ts'

/** A verified credential: who it speaks for and how much it may ask. */
export interface Credential {
  readonly actor: Actor
  /** Requests per minute; null: the configured default. */
  readonly limitPerMinute: number | null
}

/** What every route shares; put together by app.ts. */
export interface HttpKernel {
  readonly config: Config
  readonly alerts: Alerts
  readonly unitOfWork: UnitOfWork
  readonly cursors: Cursors
  /** Finds the credential behind a presented API key; null when it may not be used from `address`. */
  readonly authenticate: (presented: string, address: string) => Promise<Credential | null>
  /** Base of every absolute link. */
  readonly baseUrl: () => string
  readonly isDraining: () => boolean
}

/** Who may call a route: the holder of a scope, any credential, or everybody. */
export type Access = { readonly scope: Scope } | { readonly anyCredential: true } | { readonly public: true }

export interface DeclaredRoute {
  readonly method: string
  readonly url: string
  readonly access: Access
}

declare module 'fastify' {
  interface FastifyInstance {
    kernel: HttpKernel
    /** Every route with who may call it, in the order they were declared. */
    declaredRoutes: DeclaredRoute[]
  }
  interface FastifyRequest {
    credential: Credential | null
    trace: Trace
    /** Aborts when nobody waits for the answer any more. */
    unwanted: AbortSignal
    /** Ends the time that handling may take. */
    endLimit: (() => void) | undefined
  }
  interface FastifyContextConfig {
    access?: Access
    /** Whether an Idempotency-Key is needed, welcome or without meaning. */
    idempotency?: 'required' | 'optional' | 'none'
    /** Media type of what it answers, where that is not JSON. */
    answers?: 'text/event-stream' | 'application/jsonl'
  }
}

/**
 * A route must say who may call it; one that does not keeps the service from starting. Routes of a plugin below
 * `publicPrefix` are public.
 */
export function requireAccessDeclarations(app: FastifyInstance, publicPrefix: string): void {
  app.decorate('declaredRoutes', [])
  app.addHook('onRoute', (route) => {
    // Preflights carry no credential; @fastify/cors answers them.
    if (route.method === 'OPTIONS' && route.url === '*') return
    if (route.url.startsWith(publicPrefix))
      route.config = { ...route.config, access: { public: true }, rateLimit: false }
    if (route.config?.access === undefined)
      throw new Error(`route ${String(route.method)} ${route.url} declares neither a scope nor public`)
    const { access } = route.config
    for (const method of [route.method].flat()) app.declaredRoutes.push({ method, url: route.url, access })
  })
}
