import type { OutgoingHttpHeaders } from 'node:http'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import { type Config, corsOrigins } from '#platform/config.ts'

/** What browsers may do with answers: nothing on their own; scripts only of the origins that are listed. */
export async function protectBrowsers(http: FastifyInstance, config: Config): Promise<void> {
  await http.register(helmet, {
    global: false,
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: config.NODE_ENV === 'production' ? { maxAge: 31_536_000, includeSubDomains: true } : false,
  })
  // The same for every answer, so worked out with the first. A stream would keep those of its raw answer while it lasts.
  let headers: OutgoingHttpHeaders | undefined
  http.addHook('onRequest', (_request, reply, done) => {
    if (headers === undefined) {
      reply.helmet()
      headers = { ...reply.raw.getHeaders() }
    } else reply.headers(headers)
    done()
  })
  await http.register(cors, {
    origin: [...corsOrigins(config)],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'if-match',
      'if-none-match',
      'last-event-id',
      'traceparent',
      'x-request-id',
    ],
    // Joined once, not for every answer.
    exposedHeaders: [
      'etag',
      'location',
      'idempotency-replayed',
      'retry-after',
      'x-request-id',
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
    ].join(', '),
    maxAge: 600,
    // An OPTIONS that is no preflight gets the same answer; strict, it would get 400 as plain text.
    strictPreflight: false,
  })
}
