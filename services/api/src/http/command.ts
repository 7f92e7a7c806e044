import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Answer } from '#platform/idempotency.ts'
import type { ProblemClass } from '#platform/problem.ts'
import type { Scope } from '#platform/scopes.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { Work } from '#platform/work.ts'
import { envelope } from './envelope.ts'
import { claimOf, idempotencyKeyOf } from './idempotency.ts'
import { operationSchema } from './openapi.ts'
import { entityTagOf, expectedVersionOf } from './preconditions.ts'
import { createSeal, noSeal } from './seal.ts'
import { serializerOf } from './serializer.ts'
import { originOf } from './trace.ts'

type Value<S extends TSchema | undefined> = S extends TSchema ? Static<S> : undefined

export interface CommandInput<P extends TSchema | undefined, B extends TSchema | undefined> {
  readonly params: Value<P>
  readonly body: Value<B>
  readonly expected: ExpectedVersion
}

export interface CommandDefinition<
  P extends TSchema | undefined,
  B extends TSchema | undefined,
  R extends TSchema | undefined,
> {
  /** `resource.verb`: operationId, method of the SDK and tag. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly status: 200 | 201 | 204
  readonly scope: Scope
  readonly idempotency: 'required' | 'optional'
  /** conditional: needed when the resource exists already, as the operation finds out. */
  readonly ifMatch?: 'required' | 'conditional' | 'optional'
  readonly params?: P
  readonly body?: B
  readonly returns?: R
  readonly problems: readonly ProblemClass[]
  /** True: the answer holds a secret, so what is stored for replays is encrypted under the key itself. */
  readonly confidential?: boolean
  /** Path of a resource that was created. */
  readonly location?: (result: Value<R>) => string
  readonly handle: (work: Work, input: CommandInput<P, B>) => Promise<Value<R>>
}

/** A route that changes something: one transaction, at most once per Idempotency-Key, answered after COMMIT. */
export function command<
  P extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
  R extends TSchema | undefined = undefined,
>(definition: CommandDefinition<P, B, R>): RouteOptions {
  const { id, method, url, scope, idempotency, returns } = definition
  const access = { scope }
  const serialize = returns && (() => serializerOf(returns))

  const answerOf = (result: Value<R>): Answer => {
    const data = serialize ? serialize()(result) : null
    const etag = data === null ? null : entityTagOf(result, data)
    return { status: definition.status, etag, location: definition.location?.(result) ?? null, data }
  }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const input = {
      params: request.params as Value<P>,
      body: request.body as Value<B>,
      expected: expectedVersionOf(request, definition.ifMatch === 'required' || definition.ifMatch === 'conditional'),
    }
    const run = async (work: Work): Promise<Answer> => answerOf(await definition.handle(work, input))
    const key = idempotencyKeyOf(request)
    const { unitOfWork } = request.server.kernel
    if (key === null) return send(request, reply, await unitOfWork.write(originOf(request), run))
    const seal = definition.confidential ? createSeal(request.server.kernel.config.SIGNING_SECRET, key) : noSeal
    const sealedRun = async (work: Work) => mapData(await run(work), seal.close)
    const { answer, replayed } = await unitOfWork.writeOnce(originOf(request), claimOf(request, key), sealedRun)
    if (replayed) reply.header('idempotency-replayed', 'true')
    return send(request, reply, mapData(answer, seal.open))
  }
  return {
    method,
    url,
    schema: operationSchema({ ...definition, id, access } as Parameters<typeof operationSchema>[0]),
    config: { access, idempotency },
    handler,
  }
}

const mapData = (answer: Answer, change: (data: string) => string): Answer =>
  answer.data === null ? answer : { ...answer, data: change(answer.data) }

function send(request: FastifyRequest, reply: FastifyReply, { status, etag, location, data }: Answer): FastifyReply {
  if (etag !== null) reply.header('etag', etag)
  if (location !== null) reply.header('location', request.server.kernel.baseUrl() + location)
  reply.code(status)
  if (data === null) return reply.send()
  return reply.type('application/json; charset=utf-8').send(envelope(data, request.id))
}
