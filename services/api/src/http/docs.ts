import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { idempotencyKeyExample } from './openapi.ts'

/** Runs in the browser: a fresh key per Execute, unless one was typed over the example. */
const fillIdempotencyKey = `(request) => {
  const typed = request.headers && request.headers['Idempotency-Key']
  const writes = !['GET', 'HEAD', 'OPTIONS'].includes((request.method || 'GET').toUpperCase())
  if (writes && (!typed || typed === '${idempotencyKeyExample}')) request.headers['Idempotency-Key'] = crypto.randomUUID()
  return request
}`

export const docsPrefix = '/docs'

/** The Swagger UI, working against this very service, without inline scripts. */
export async function serveDocs(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: docsPrefix,
    uiConfig: {
      deepLinking: true,
      displayOperationId: true,
      persistAuthorization: true,
      docExpansion: 'list',
      // Serialized into the initializer file, so the page needs no inline script.
      requestInterceptor: Object.assign(<R>(request: R) => request, { toString: () => fillIdempotencyKey }),
    },
    staticCSP: [
      "default-src 'none'",
      "script-src 'self'",
      // The one style element the Swagger UI writes into its page.
      "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  })
}
