import type { OutgoingHttpHeaders } from 'node:http'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance } from 'fastify'
import { type Config, corsOrigins } from '#platform/config.ts'

/** What browsers may do with answers: nothing on their own; scripts only of the origins that are listed. */
export async function protectBrowsers(http: FastifyInstance, config: Config): Promise<void> {
  const headers = await securityHeaders(config)
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

/** They are the same for every answer, so Helmet is asked once. Its own hooks would keep each request in memory for long. */
async function securityHeaders(config: Config): Promise<OutgoingHttpHeaders> {
  const asked = fastify()
  await asked.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: config.NODE_ENV === 'production' ? { maxAge: 31_536_000, includeSubDomains: true } : false,
  })
  asked.get('/', async (_request, reply) => reply.raw.getHeaders())
  const answer = await asked.inject('/')
  await asked.close()
  return answer.json<OutgoingHttpHeaders>()
}
