import type { FastifyInstance } from 'fastify'
import type { Check } from '#platform/readiness.ts'

/** `/health/live`: the process answers. `/health/ready`: it can serve; each dependency with its state. */
export function reportHealth(app: FastifyInstance, checks: () => Promise<readonly Check[]>): void {
  const config = { access: { public: true }, rateLimit: false } as const
  const schema = { hide: true }
  const live = async () => ({ status: 'ok' })
  for (const url of ['/health/live', '/health']) app.get(url, { config, schema }, live)
  for (const url of ['/health/ready', '/ready'])
    app.get(url, { config, schema }, async (_request, reply) => {
      const results = app.kernel.isDraining()
        ? [{ name: 'process', state: 'failed', detail: 'draining' } as const]
        : await checks()
      const failed = results.some(({ state }) => state === 'failed')
      const degraded = results.some(({ state }) => state === 'degraded')
      if (failed) reply.code(503).header('retry-after', 1)
      return { status: failed ? 'failed' : degraded ? 'degraded' : 'ok', checks: results }
    })
}
