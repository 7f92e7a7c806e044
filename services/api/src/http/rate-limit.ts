import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '#platform/problem.ts'
import { RateLimited } from './problems.ts'

const minuteMs = 60_000

/**
 * Two limits, both per minute. Before authentication: refused credentials per address, looked at here and counted
 * when one is refused. After it: requests per key, or per address without one.
 */
export async function limitRates(app: FastifyInstance, authenticate: () => void): Promise<void> {
  const { config } = app.kernel
  const share = (limit: number): number => Math.max(1, Math.floor(limit / config.RATE_LIMIT_PROCESSES))
  await app.register(rateLimit, { global: false, timeWindow: minuteMs, cache: 100_000 })
  const refusals = app.createRateLimit({
    max: share(config.RATE_LIMIT_FAILED_AUTHENTICATION),
    timeWindow: minuteMs,
    keyGenerator: (request) => `refused ${request.ip}`,
  })
  const requests = app.createRateLimit({
    max: (request) => {
      const own = request.credential?.limitPerMinute ?? config.RATE_LIMIT_PER_KEY
      return share(request.credential ? own : config.RATE_LIMIT_ANONYMOUS)
    },
    timeWindow: minuteMs,
    keyGenerator: (request) => request.credential?.actor.keyId ?? `address ${request.ip}`,
  })

  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization === undefined) return
    const state = await refusals(request, { increment: false })
    if (!state.isAllowed && state.remaining === 0) throw exceeded(reply, state)
  })
  app.addHook('onError', async (request, reply, error) => {
    const isRefusal = error instanceof AppError && error.statusCode === 401
    if (!isRefusal || request.headers.authorization === undefined) return
    const state = await refusals(request)
    if (!state.isAllowed) announce(reply, state)
  })
  authenticate()
  app.addHook('onRequest', async (request: FastifyRequest, reply) => {
    if (request.routeOptions.config.rateLimit === false) return
    const state = await requests(request)
    if (state.isAllowed) return
    if (state.isExceeded) throw exceeded(reply, state)
    announce(reply, state)
  })
}

interface LimitState {
  readonly max: number
  readonly remaining: number
  readonly ttlInSeconds: number
}

function announce(reply: FastifyReply, { max, remaining, ttlInSeconds }: LimitState): void {
  reply.header('ratelimit-limit', max)
  reply.header('ratelimit-remaining', remaining)
  reply.header('ratelimit-reset', ttlInSeconds)
}

function exceeded(reply: FastifyReply, state: LimitState): Error {
  announce(reply, { ...state, remaining: 0 })
  return new RateLimited({
    detail: `The limit is ${state.max} requests per minute`,
    retryAfterSeconds: Math.max(1, state.ttlInSeconds),
  })
}
