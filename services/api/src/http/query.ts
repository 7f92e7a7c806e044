import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { maxTableRows, type Page, type PageRequest, type TablePage, type TableRequest } from '#platform/page.ts'
import type { ProblemClass } from '#platform/problem.ts'
import type { Scope } from '#platform/scopes.ts'
import type { View } from '#platform/work.ts'
import { cursorBinding } from './cursor.ts'
import { envelope, pageEnvelope, sendAnswer, tableEnvelope } from './envelope.ts'
import type { Access } from './kernel.ts'
import { type OperationFacts, operationSchema } from './openapi.ts'
import { entityTagOf, isNotModified, representationTagOf } from './preconditions.ts'
import { InvalidCursor, ValidationFailed } from './problems.ts'
import { serializerOf } from './serializer.ts'
import { originOf } from './trace.ts'

type Value<S extends TSchema | undefined> = S extends TSchema ? Static<S> : undefined

export interface ReadFacts {
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly url: string
  /** Null: every valid credential may read it. */
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
    if (method === 'GET' && isNotModified(request, etag)) return sendAnswer(reply.code(304))
    return sendAnswer(reply, envelope(data, request.id))
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
  const facts = {
    ...definition,
    access,
    status: 200,
    idempotency: 'none',
    pagination: 'cursor',
    querystring,
    returns: item,
  }
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
    return sendAnswer(reply, text)
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

export interface TableDefinition<F extends TProperties, I extends TSchema> extends ReadFacts {
  /** Query parameters beside page and pageSize. */
  readonly filter: F
  readonly item: I
  readonly handle: (
    view: View,
    input: { readonly filter: Static<TObject<F>>; readonly page: TableRequest },
  ) => Promise<TablePage<Static<I>>>
}

/** A route that reads a list by page numbers, for tables of people; not beyond the first 10,000 rows. */
export function table<F extends TProperties, I extends TSchema>(definition: TableDefinition<F, I>): RouteOptions {
  const { url, item, handle } = definition
  const access = accessOf(definition.scope)
  const querystring = Type.Object({ ...definition.filter, ...tableParameters }, { additionalProperties: false })
  const facts = {
    ...definition,
    access,
    status: 200,
    idempotency: 'none',
    pagination: 'offset',
    querystring,
    returns: item,
  }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const parameters = request.query as TableRequest & Static<TObject<F>>
    const { page, pageSize } = parameters
    if (page * pageSize > maxTableRows) throw pageTooFar(pageSize)
    const input = { filter: parameters, page: { page, pageSize } }
    const result = await request.server.kernel.unitOfWork.read(originOf(request), (view) => handle(view, input))
    const text = tableEnvelope(result, { page, pageSize }, request.id, serializerOf(item))
    return sendAnswer(reply, text)
  }
  const config = { access, idempotency: 'none' } as const
  return { method: 'GET', url, schema: operationSchema(facts as OperationFacts), config, handler }
}

const tableParameters = {
  page: Type.Integer({
    minimum: 1,
    maximum: maxTableRows,
    default: 1,
    description: 'page × pageSize is at most 10,000',
  }),
  pageSize: Type.Integer({ minimum: 1, maximum: 100, default: defaultLimit, description: 'Items per page' }),
}

function pageTooFar(pageSize: number): Error {
  const message = `must be at most ${Math.floor(maxTableRows / pageSize)}`
  const errors = [{ field: 'page', pointer: '/page', code: 'TOO_LARGE', message }]
  return new ValidationFailed({ detail: `page: ${message}; use a list with cursors to go further`, errors })
}

export const accessOf = (scope: Scope | null): Access => (scope === null ? { anyCredential: true } : { scope })
