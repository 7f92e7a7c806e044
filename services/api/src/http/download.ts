import { Readable } from 'node:stream'
import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { TenantWork } from '#platform/work.ts'
import { operationSchema } from './openapi.ts'
import type { ReadFacts } from './query.ts'
import { accessOf } from './query.ts'
import { originOf } from './trace.ts'

export interface DownloadDefinition<P extends TSchema> extends ReadFacts {
  readonly params: P
  readonly mediaType: 'application/jsonl'
  readonly fileName: (params: Static<P>) => string
  /** Finds what is to be sent, or throws a problem; what it returns is read as fast as the client takes it. */
  readonly handle: (
    read: TenantWork['read'],
    input: { readonly params: Static<P> },
  ) => Promise<AsyncIterable<Uint8Array>>
}

/** A route that streams a file: no envelope, no limit on its time, and no transaction that waits for a slow client. */
export function download<P extends TSchema>(definition: DownloadDefinition<P>): RouteOptions {
  const { url, params: _params, mediaType, fileName, handle } = definition
  const access = accessOf(definition.scope)
  const handler = async (request: FastifyRequest, reply: FastifyReply) => {
    const params = request.params as Static<P>
    const origin = originOf(request)
    const read: TenantWork['read'] = (run) => request.server.kernel.unitOfWork.read(origin, run)
    const content = await handle(read, { params })
    reply.header('content-disposition', `attachment; filename="${fileName(params)}"`)
    reply.header('cache-control', 'private, no-store')
    return reply.type(mediaType).send(Readable.from(content))
  }
  const schema = operationSchema({ ...definition, access, status: 200, idempotency: 'none' })
  const config = { access, idempotency: 'none', answers: mediaType } as const
  return { method: 'GET', url, schema, config, handler }
}
