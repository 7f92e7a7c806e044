import { type IncomingMessage, ServerResponse } from 'node:http'
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import helmet from 'helmet'
import { type Config, corsOrigins } from '#platform/config.ts'

/** What browsers may do with answers: nothing on their own; scripts only of the origins that are listed. */
export async function protectBrowsers(http: FastifyInstance, config: Config): Promise<void> {
  const headers = securityHeaders(config)
  http.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
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

/** The same for every answer, so worked out once. On the raw answer they would also stay for as long as it lasts. */
function securityHeaders(config: Config) {
  const request = {} as IncomingMessage
  const answer = new ServerResponse(request)
  const set = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: config.NODE_ENV === 'production' ? { maxAge: 31_536_000, includeSubDomains: true } : false,
  })
  set(request, answer, (error) => {
    if (error) throw error
  })
  return answer.getHeaders() as Readonly<Record<string, string>>
}
