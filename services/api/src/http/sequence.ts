import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { SequencePage } from '#platform/page.ts'
import type { View } from '#platform/work.ts'
import { sendAnswer, sequenceEnvelope } from './envelope.ts'
import { type OperationFacts, operationSchema } from './openapi.ts'
import { accessOf, type ReadFacts } from './query.ts'
import { serializerOf } from './serializer.ts'
import { originOf } from './trace.ts'

/** A position of a sequence, as a query parameter. */
export const Position = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The position to go on from: sequence of the last event you have, or nextCursor; 0: from the beginning',
})

const parameters = {
  after: Type.Optional(Position),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Items per page' }),
}

export interface SequenceDefinition<F extends TProperties, I extends TSchema> extends ReadFacts {
  /** Query parameters beside after and limit. */
  readonly filter: F
  readonly item: I
  readonly handle: (
    view: View,
    query: Static<TObject<F>> & Static<TObject<typeof parameters>>,
  ) => Promise<SequencePage<Static<I>>>
}

/** A route that reads a sequence onwards from a position, oldest first. */
export function sequence<F extends TProperties, I extends TSchema>(definition: SequenceDefinition<F, I>): RouteOptions {
  const { url, item, handle, scope } = definition
  const access = accessOf(scope)
  const querystring = Type.Object({ ...definition.filter, ...parameters }, { additionalProperties: false })
  const facts = {
    ...definition,
    access,
    status: 200,
    idempotency: 'none',
    pagination: 'sequence',
    querystring,
    returns: item,
  }
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const query = request.query as Parameters<typeof handle>[1]
    const page = await request.server.kernel.unitOfWork.read(originOf(request), (view) => handle(view, query))
    return sendAnswer(reply, sequenceEnvelope(page, request.id, serializerOf(item)))
  }
  const config = { access, idempotency: 'none' } as const
  return { method: 'GET', url, schema: operationSchema(facts as OperationFacts), config, handler }
}
