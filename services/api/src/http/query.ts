import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Page, PageRequest } from '#platform/page.ts'
import type { ProblemClass } from '#platform/problem.ts'
import type { Scope } from '#platform/scopes.ts'
import type { View } from '#platform/work.ts'
import { cursorBinding } from './cursor.ts'
import { envelope, pageEnvelope } from './envelope.ts'
import type { Access } from './kernel.ts'
import { type OperationFacts, operationSchema } from './openapi.ts'
import { entityTagOf, isNotModified, representationTagOf } from './preconditions.ts'
import { InvalidCursor } from './problems.ts'
import { serializerOf } from './serializer.ts'
import { originOf } from './trace.ts'

type Value<S extends TSchema | undefined> = S extends TSchema ? Static<S> : undefined

interface ReadFacts {
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly url: string
  /** Null: any valid credential may read it. */
  readonly scope: Scope | null
  readonly problems: readonly ProblemClass[]
}

export interface QueryDefinition<P extends TSchema | undefined, B extends TSchema | undefined, R extends TSchema>
  extends ReadFacts {
  /** POST for a question that needs a body; it writes nothing all the same. */
  readonly method?: 'GET' | 'POST'
  readonly params?: P
  readonly body?: B
  readonly returns: R
  readonly handle: (view: View, input: { readonly params: Value<P>; readonly body: Value<B> }) => Promise<Static<R>>
}

/** A route that reads one thing in a read-only transaction, with ETag and 304. */
export function query<
  R extends TSchema,
  P extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
>(definition: QueryDefinition<P, B, R>): RouteOptions {
  const { url, returns, handle, method = 'GET' } = definition
  const access = accessOf(definition.scope)
  const facts = {
    ...definition,
    access,
    status: 200,
    idempotency: 'none',
    conditionalRead: method === 'GET',
  } as OperationFacts
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const input = { params: request.params as Value<P>, body: request.body as Value<B> }
    const result = await request.server.kernel.unitOfWork.read(originOf(request), (view) => handle(view, input))
    const data = serializerOf(returns)(result)
    const etag = entityTagOf(result, data) ?? (method === 'GET' ? representationTagOf(data) : null)
    if (etag !== null) reply.header('etag', etag)
    if (method === 'GET' && isNotModified(request, etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(envelope(data, request.id))
  }
  return { method, url, schema: operationSchema(facts), config: { access, idempotency: 'none' }, handler }
}

export interface ListDefinition<P extends TSchema | undefined, F extends TProperties, I extends TSchema>
  extends ReadFacts {
  readonly params?: P
  /** Query parameters beside limit, after and before. */
  readonly filter: F
  readonly item: I
  readonly handle: (
    view: View,
    input: { readonly params: Value<P>; readonly filter: Static<TObject<F>>; readonly page: PageRequest },
  ) => Promise<Page<Static<I>>>
}

const defaultLimit = 20

/** A route that reads a list page by page, with signed cursors. */
export function list<F extends TProperties, I extends TSchema, P extends TSchema | undefined = undefined>(
  definition: ListDefinition<P, F, I>,
): RouteOptions {
  const { id, url, item, handle } = definition
  const access = accessOf(definition.scope)
  const querystring = Type.Object({ ...definition.filter, ...pageParameters }, { additionalProperties: false })
  const facts = { ...definition, access, status: 200, idempotency: 'none', paginated: true, querystring, returns: item }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const { unitOfWork, cursors } = request.server.kernel
    const origin = originOf(request)
    const parameters = request.query as PageParameters & Static<TObject<F>>
    const binding = cursorBinding(request, id, origin.actor.organizationId)
    const page = pageRequestOf(parameters, (cursor) => cursors.decode(cursor, binding))
    const input = { params: request.params as Value<P>, filter: parameters, page }
    const result = await unitOfWork.read(origin, (view) => handle(view, input))
    const cursorOf = (position: readonly (string | number)[]) => cursors.encode(position, binding)
    const text = pageEnvelope(result, request.id, serializerOf(item), cursorOf)
    return reply.type('application/json; charset=utf-8').send(text)
  }
  const config = { access, idempotency: 'none' } as const
  return { method: 'GET', url, schema: operationSchema(facts as OperationFacts), config, handler }
}

const pageParameters = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: defaultLimit, description: 'Items per page' }),
  ),
  after: Type.Optional(Type.String({ maxLength: 1_024, description: 'nextCursor of the page before' })),
  before: Type.Optional(Type.String({ maxLength: 1_024, description: 'previousCursor of the page after' })),
}
type PageParameters = Static<TObject<typeof pageParameters>>

function pageRequestOf(
  parameters: PageParameters,
  decode: (cursor: string) => readonly (string | number)[],
): PageRequest {
  const { limit = defaultLimit, after, before } = parameters
  if (after !== undefined && before !== undefined) throw new InvalidCursor({ detail: 'Send after or before, not both' })
  if (after !== undefined) return { limit, direction: 'forward', position: decode(after) }
  if (before !== undefined) return { limit, direction: 'backward', position: decode(before) }
  return { limit, direction: 'forward', position: null }
}

const accessOf = (scope: Scope | null): Access => (scope === null ? { anyCredential: true } : { scope })
