import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Answer } from '#platform/idempotency.ts'
import type { ProblemClass } from '#platform/problem.ts'
import type { Scope } from '#platform/scopes.ts'
import type { ExpectedVersion } from '#platform/version.ts'
import type { GroupRun, OnceItem, View, Work } from '#platform/work.ts'
import { envelope, sendAnswer } from './envelope.ts'
import { createGroups, type SubmitToGroup } from './grouping.ts'
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

interface CommandFacts<P extends TSchema | undefined, B extends TSchema | undefined, R extends TSchema | undefined> {
  /** `resource.verb`: operationId, method of the SDK and tag. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  /** 202: what was asked for happens later, and can be read where Location says. */
  readonly status: 200 | 201 | 202 | 204
  /** While this holds of the result the answer is 202 instead. */
  readonly isPending?: (result: Value<R>) => boolean
  readonly scope: Scope
  readonly idempotency: 'required' | 'optional'
  /** conditional: needed when the resource exists already, as the operation finds out. */
  readonly ifMatch?: 'required' | 'conditional' | 'optional'
  readonly params?: P
  readonly body?: B
  readonly returns?: R
  readonly problems: readonly ProblemClass[]
  /** Path of what was created, or of what tells how it goes on. */
  readonly location?: (result: Value<R>) => string
}

export interface CommandDefinition<
  P extends TSchema | undefined,
  B extends TSchema | undefined,
  R extends TSchema | undefined,
  X,
> extends CommandFacts<P, B, R> {
  /** True: the answer holds a secret, so what is stored for replays is encrypted under the key itself. */
  readonly confidential?: boolean
  /** What another system has to say, asked before the transaction, which waits for nobody; a refusal is for `handle` to throw. */
  readonly prepare?: (input: CommandInput<P, B>) => Promise<X>
  readonly handle: (work: Work, input: CommandInput<P, B>, prepared: X) => Promise<Value<R>>
}

export interface GroupedCommandDefinition<
  P extends TSchema | undefined,
  B extends TSchema | undefined,
  R extends TSchema | undefined,
  X,
> extends CommandFacts<P, B, R> {
  readonly idempotency: 'required'
  /** Reads what all of them need before it is known which are new: it saves a round trip. */
  readonly prepareGroup: (view: Pick<View, 'db'>, inputs: readonly CommandInput<P, B>[]) => Promise<X>
  /** Handles requests of one organization, all or none; results in their order. */
  readonly handleGroup: (items: readonly OnceItem<CommandInput<P, B>>[], prepared: X) => Promise<readonly Value<R>[]>
}

/** A route that changes something: one transaction, at most once per Idempotency-Key, answered after COMMIT. */
export function command<
  P extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
  R extends TSchema | undefined = undefined,
  X = undefined,
>(definition: CommandDefinition<P, B, R, X>): RouteOptions {
  const answerOf = answerer(definition)
  return routeOf(definition, async (request, reply) => {
    const input = inputOf(definition, request)
    const prepared = (await definition.prepare?.(input)) as X
    const run = async (work: Work): Promise<Answer> => answerOf(await definition.handle(work, input, prepared))
    const key = idempotencyKeyOf(request)
    const { unitOfWork, config } = request.server.kernel
    if (key === null) return send(request, reply, await unitOfWork.write(originOf(request), run))
    const seal = definition.confidential ? createSeal(config.SIGNING_SECRET, key) : noSeal
    const sealedRun = async (work: Work) => mapData(await run(work), seal.close)
    const { answer, replayed } = await unitOfWork.writeOnce(originOf(request), claimOf(request, key), sealedRun)
    return send(request, reply, mapData(answer, seal.open), replayed)
  })
}

/** A command whose concurrent requests of one organization share transactions; otherwise the same. */
export function groupedCommand<
  P extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
  R extends TSchema | undefined = undefined,
  X = undefined,
>(definition: GroupedCommandDefinition<P, B, R, X>): RouteOptions {
  const answerOf = answerer(definition)
  const group: GroupRun<CommandInput<P, B>, X> = {
    prepare: definition.prepareGroup,
    run: async (items, prepared) => (await definition.handleGroup(items, prepared)).map(answerOf),
  }
  let submit: SubmitToGroup<CommandInput<P, B>> | undefined
  return routeOf(definition, async (request, reply) => {
    const { unitOfWork, config } = request.server.kernel
    const limits = { maxSize: config.GROUP_SIZE, maxInFlight: config.GROUPS_IN_FLIGHT }
    submit ??= createGroups(unitOfWork, limits, group)
    const claim = claimOf(request, idempotencyKeyOf(request) ?? '')
    const outcome = await submit({ origin: originOf(request), claim, input: inputOf(definition, request) })
    if ('problem' in outcome) throw outcome.problem
    return send(request, reply, outcome.answer, outcome.replayed)
  })
}

function inputOf<P extends TSchema | undefined, B extends TSchema | undefined>(
  { ifMatch }: Pick<CommandFacts<P, B, undefined>, 'ifMatch'>,
  request: FastifyRequest,
): CommandInput<P, B> {
  const expected = expectedVersionOf(request, ifMatch === 'required' || ifMatch === 'conditional')
  return { params: request.params as Value<P>, body: request.body as Value<B>, expected }
}

type AnyFacts = CommandFacts<TSchema | undefined, TSchema | undefined, TSchema | undefined>

function answerer<R extends TSchema | undefined>({
  returns,
  status,
  isPending,
  location,
}: Pick<CommandFacts<undefined, undefined, R>, 'returns' | 'status' | 'isPending' | 'location'>): (
  result: Value<R>,
) => Answer {
  return (result) => {
    const data = returns ? serializerOf(returns)(result) : null
    const etag = data === null ? null : entityTagOf(result, data)
    return { status: isPending?.(result) ? 202 : status, etag, location: location?.(result) ?? null, data }
  }
}

function routeOf(
  definition: object,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): RouteOptions {
  const facts = definition as AnyFacts
  const { method, url, scope, idempotency } = facts
  const access = { scope }
  const schema = operationSchema({ ...facts, access, mayBePending: facts.isPending !== undefined } as Parameters<
    typeof operationSchema
  >[0])
  return { method, url, schema, config: { access, idempotency }, handler }
}

const mapData = (answer: Answer, change: (data: string) => string): Answer =>
  answer.data === null ? answer : { ...answer, data: change(answer.data) }

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer, replayed = false): FastifyReply {
  const { status, etag, location, data } = answer
  if (replayed) reply.header('idempotency-replayed', 'true')
  if (etag !== null) reply.header('etag', etag)
  if (location !== null) reply.header('location', request.server.kernel.baseUrl() + location)
  reply.code(status)
  return sendAnswer(reply, data === null ? undefined : envelope(data, request.id))
}
