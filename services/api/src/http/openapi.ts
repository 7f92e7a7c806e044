import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import { type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { DatabaseUnavailable, OutcomeUnknown } from '#platform/database-errors.ts'
import { IdempotencyInProgress, IdempotencyKeyReused } from '#platform/idempotency.ts'
import { maxTableRows } from '#platform/page.ts'
import type { ProblemClass, ProblemDefinition } from '#platform/problem.ts'
import { component, componentSchemas, Nullable } from '#platform/schema.ts'
import { PreconditionFailed, PreconditionRequired } from '#platform/version.ts'
import { closed, RequestId, Text } from '#platform/wire.ts'
import type { Access } from './kernel.ts'
import { completeDocument, fileResponse } from './openapi-completion.ts'
import { tags } from './openapi-tags.ts'
import {
  Forbidden,
  HandlerTimedOut,
  HttpsRequired,
  IdempotencyKeyRequired,
  InternalError,
  InvalidCursor,
  MalformedRequest,
  maxDetailLength,
  maxPointerLength,
  NotAcceptable,
  PayloadTooLarge,
  RateLimited,
  Unauthorized,
  UnsupportedMediaType,
  UriTooLong,
  ValidationFailed,
} from './problems.ts'

export const Problem = component(
  'Problem',
  Type.Object(
    {
      type: Type.String({
        format: 'uri',
        maxLength: 2_048,
        description: 'Address of a page about this kind of problem',
      }),
      title: Text(200),
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      detail: Text(maxDetailLength),
      instance: Type.String({ maxLength: 16_384, description: 'Path of the request' }),
      success: Type.Unsafe<false>({ type: 'boolean', enum: [false] }),
      error: Type.Object({ code: Text(64), message: Text(maxDetailLength) }, closed),
      retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
      errors: Type.Array(
        Type.Object(
          {
            field: Type.String({ maxLength: maxPointerLength }),
            pointer: Type.String({ maxLength: maxPointerLength, description: 'Into the body, query or path' }),
            code: Text(64),
            message: Text(maxDetailLength),
            suggestion: Type.Optional(Text(64)),
          },
          closed,
        ),
        { maxItems: 1_000 },
      ),
      meta: Type.Object({ requestId: RequestId }, closed),
    },
    { ...closed, description: 'RFC 9457 problem details: the one body of every error' },
  ),
)

const Meta = component('Meta', Type.Object({ requestId: RequestId }, closed))
const Cursor = Type.String({ maxLength: 1_024 })
const PageMeta = component(
  'PageMeta',
  Type.Object(
    {
      requestId: RequestId,
      page: Type.Object(
        {
          nextCursor: Nullable(Cursor),
          previousCursor: Nullable(Cursor),
          hasMore: Type.Boolean(),
        },
        closed,
      ),
    },
    closed,
  ),
)
const count = (minimum: number) => Type.Integer({ minimum, maximum: maxTableRows })
const TableMeta = component(
  'TableMeta',
  Type.Object(
    {
      requestId: RequestId,
      page: Type.Object(
        {
          page: count(1),
          pageSize: count(1),
          totalItems: Type.Integer({ minimum: 0, maximum: maxTableRows, description: 'Counted to 10,000 at most' }),
          totalPages: count(0),
        },
        closed,
      ),
    },
    closed,
  ),
)
const success = Type.Unsafe<true>({ type: 'boolean', enum: [true] })

/** What the document says of one operation; command(), query() and list() fill it in. */
export interface OperationFacts {
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  readonly status: number
  /** The answer may be 202 instead, with the same body and where to poll. */
  readonly mayBePending?: boolean
  /** The answer is a file of this type, without an envelope. */
  readonly mediaType?: string
  readonly idempotency: 'required' | 'optional' | 'none'
  readonly ifMatch?: 'required' | 'conditional' | 'optional'
  readonly conditionalRead?: boolean
  readonly pagination?: 'cursor' | 'offset' | 'sequence'
  /** The answer is a stream of server-sent events, each of them a `returns`. */
  readonly isStream?: boolean
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly body?: TSchema
  readonly returns?: TSchema
  readonly problems: readonly ProblemClass[]
}

/** The Fastify schema of an operation, which validates its input and becomes its entry in the document. */
export function operationSchema(facts: OperationFacts): FastifySchema {
  const definitions = problemsOf(facts)
  const isPublic = 'public' in facts.access
  return {
    operationId: facts.id,
    tags: [facts.id.split('.')[0] ?? facts.id],
    summary: facts.summary,
    description: descriptionOf(facts),
    security: isPublic ? [] : [{ apiKey: [] }],
    ...(facts.params ? { params: facts.params } : {}),
    querystring: facts.querystring ?? noParameters,
    ...(facts.body ? { body: facts.body } : {}),
    headers: Type.Object(headersOf(facts)),
    response: { ...successResponse(facts), ...problemResponses(definitions) },
    'x-idempotency': facts.idempotency,
    ...(facts.pagination ? { 'x-pagination': facts.pagination } : {}),
    ...(facts.isStream ? { 'x-stream': 'sse' } : {}),
    ...(facts.mediaType ? { 'x-sdk': false } : {}),
    ...('scope' in facts.access ? { 'x-scope': facts.access.scope } : {}),
    'x-error-codes': definitions.map(({ code }) => code).sort(),
    'x-stability': 'stable',
  } as FastifySchema
}

const noParameters = Type.Object({}, closed)

function descriptionOf({ summary, description, access }: OperationFacts): string {
  const scope = 'scope' in access ? ` Needs the scope \`${access.scope}\`.` : ''
  return `${description ?? `${summary}.`}${scope}`
}

/** The example stands for "fill in a fresh one": the Swagger UI replaces it at every Execute. */
export const idempotencyKeyExample = 'fresh-key-per-request'

/** All headers together may have 16 KiB. */
const maxTagsLength = 16_384

function headersOf({ idempotency, ifMatch, conditionalRead, isStream }: OperationFacts): TProperties {
  const headers: TProperties = {}
  if (idempotency !== 'none') {
    const key = Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'A unique value per new request; the same one on every retry of it. Here, a fresh one is filled in.',
      ...(idempotency === 'required' ? { example: idempotencyKeyExample } : {}),
    })
    headers['Idempotency-Key'] = idempotency === 'required' ? key : Type.Optional(key)
  }
  if (ifMatch) {
    const tag = Type.String({
      maxLength: maxTagsLength,
      description: 'The ETag of the version this change is based on',
    })
    headers['If-Match'] = ifMatch === 'required' ? tag : Type.Optional(tag)
  }
  if (conditionalRead)
    headers['If-None-Match'] = Type.Optional(
      Type.String({ maxLength: maxTagsLength, description: 'ETag of a copy; answers 304 while it is current' }),
    )
  if (isStream)
    headers['Last-Event-ID'] = Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,16}$',
        maxLength: 16,
        description: 'The last `id` that was received; wins over `after`. Browsers send it when they connect again.',
      }),
    )
  return headers
}

function problemsOf(facts: OperationFacts): readonly ProblemDefinition[] {
  // Any request may be unreadable (NUL in its address) or hold a parameter that is not one.
  const always = [
    HttpsRequired,
    MalformedRequest,
    UriTooLong,
    ValidationFailed,
    NotAcceptable,
    RateLimited,
    InternalError,
    DatabaseUnavailable,
  ]
  const classes: ProblemClass[] = [...facts.problems, ...always]
  if (!('public' in facts.access)) classes.push(Unauthorized)
  if ('scope' in facts.access) classes.push(Forbidden)
  if (facts.body || facts.idempotency !== 'none') classes.push(PayloadTooLarge, UnsupportedMediaType)
  if (facts.idempotency !== 'none')
    classes.push(IdempotencyInProgress, IdempotencyKeyReused, OutcomeUnknown, HandlerTimedOut)
  if (facts.idempotency === 'required') classes.push(IdempotencyKeyRequired)
  if (facts.ifMatch) classes.push(PreconditionFailed)
  if (facts.ifMatch && facts.ifMatch !== 'optional') classes.push(PreconditionRequired)
  if (facts.pagination === 'cursor') classes.push(InvalidCursor)
  return [...new Set(classes.map(({ definition }) => definition))]
}

function successResponse(facts: OperationFacts) {
  const { status, mayBePending, mediaType, returns, pagination, ifMatch, conditionalRead, isStream, summary } = facts
  if (mediaType) return { [status]: fileResponse(mediaType, summary) }
  if (!returns) return { [status]: { type: 'null', description: 'Done' } }
  if (isStream) return { [status]: { description: summary, content: { 'text/event-stream': { schema: returns } } } }
  const data = pagination ? Type.Array(returns, { maxItems: 100 }) : returns
  const meta = pagination === undefined ? Meta : pagination === 'offset' ? TableMeta : PageMeta
  const schema = Type.Object({ success, data, meta }, closed)
  const text = (maxLength: number, description: string) => ({ type: 'string', maxLength, description })
  const headers = {
    ...(status === 201 ? { Location: text(2_048, 'Address of the new resource') } : {}),
    ...(status === 202 ? { Location: text(2_048, 'Where to read how it goes on') } : {}),
    ...(conditionalRead || ifMatch || status === 201 ? { ETag: text(64, 'Version of the resource') } : {}),
  }
  const answer = { description: summary, headers, content: { 'application/json': { schema } } }
  const notModified = { 304: { type: 'null', description: 'The copy named in If-None-Match is current' } }
  const pending = { 202: { ...answer, headers: { Location: text(2_048, 'Address to poll') } } }
  return { [status]: answer, ...(mayBePending ? pending : {}), ...(conditionalRead ? notModified : {}) }
}

function problemResponses(definitions: readonly ProblemDefinition[]) {
  const byStatus = Map.groupBy(definitions, ({ status }) => status)
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, group]) => [
        status,
        {
          description: group
            .map(({ code, title }) => `\`${code}\`: ${title}`)
            .sort()
            .join('\n\n'),
          content: { 'application/problem+json': { schema: Problem } },
        },
      ]),
  )
}

/** The document's section of what the service sends, as it stands there: references in it are written in full. */
export type DocumentedWebhooks = Readonly<Record<string, object>>

/** Collects every route into one OpenAPI 3.1 document. */
export async function publishDocument(app: FastifyInstance, webhooks: DocumentedWebhooks): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Purser',
        version: '1.0.0',
        description: 'An order service that partners build on: orders from many channels, exactly once.',
        license: { name: 'MIT', identifier: 'MIT' },
        contact: { name: 'The maintainers of Purser' },
      },
      servers: [{ url: '/', description: 'The service that publishes this document, local or in production' }],
      tags,
      webhooks: { ...webhooks },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: sk_live_… or sk_test_…' },
        },
      },
    },
    hideUntagged: true,
    transformObject: completeDocument as unknown as SwaggerTransformObject,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`) },
  })
  for (const schema of componentSchemas()) app.addSchema(schema)
}
