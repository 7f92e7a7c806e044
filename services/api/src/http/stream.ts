import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Actor } from '#platform/actor.ts'
import type { Scope } from '#platform/scopes.ts'
import type { View } from '#platform/work.ts'
import type { EventStream } from './event-stream.ts'
import { type OperationFacts, operationSchema } from './openapi.ts'
import { Draining, MalformedRequest, TooManyStreams } from './problems.ts'
import type { ReadFacts } from './query.ts'
import { Position } from './sequence.ts'
import type { Streams } from './streams.ts'
import { originOf } from './trace.ts'

const parameters = { after: Type.Optional(Position) }

export interface StreamDefinition<F extends TProperties> extends ReadFacts {
  readonly scope: Scope
  /** Query parameters beside after. */
  readonly filter: F
  readonly item: TSchema
  /** The position it begins after, given the one that was asked for; refusals are still answered as problems. */
  readonly handle: (view: View, after: number | undefined) => Promise<number>
  /** Feeds the stream from its position on. */
  readonly follow: (stream: EventStream, actor: Actor, filter: Static<TObject<F>>) => void
}

/** A route whose answer does not end: server-sent events of a sequence, from a position on. */
export function stream<F extends TProperties>(streams: Streams, definition: StreamDefinition<F>): RouteOptions {
  const { url, scope, item, handle, follow } = definition
  const facts = {
    ...definition,
    access: { scope },
    status: 200,
    idempotency: 'none',
    isStream: true,
    querystring: Type.Object({ ...definition.filter, ...parameters }, { additionalProperties: false }),
    returns: item,
    problems: [...definition.problems, Draining, TooManyStreams],
  }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const query = request.query as Static<TObject<F>> & { readonly after?: number }
    const after = lastEventIdOf(request) ?? query.after
    const { actor } = originOf(request)
    if (request.method === 'HEAD') return reply.type('text/event-stream; charset=utf-8').send()
    const place = streams.reserve(request, scope)
    try {
      const position = await request.server.kernel.unitOfWork.read(originOf(request), (view) => handle(view, after))
      follow(place.open(reply, position), actor, query)
    } catch (error) {
      place.giveUp()
      throw error
    }
    return reply
  }
  const config = { access: { scope }, idempotency: 'none', answers: 'text/event-stream' } as const
  return { method: 'GET', url, schema: operationSchema(facts as OperationFacts), config, handler }
}

/** Where a reader that connects again has come to: the last id it got. */
function lastEventIdOf(request: FastifyRequest): number | undefined {
  const header = request.headers['last-event-id']
  if (header === undefined || header === '') return undefined
  const position = typeof header === 'string' && /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN
  if (!Number.isSafeInteger(position)) throw new MalformedRequest({ detail: 'Last-Event-ID must be a position' })
  return position
}
