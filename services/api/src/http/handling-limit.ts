import type { FastifyInstance } from 'fastify'
import { HandlerTimedOut } from './problems.ts'

const closed = 'the connection is done'

/**
 * Answers 503 when handling takes longer than `HANDLER_TIMEOUT_MS`; `request.unwanted` aborts then, and when the client
 * has gone. Fastify's own handlerTimeout and signal follow the request's `close`, which Node emits as soon as a body
 * has been read: requests with a body would have no limit, and a signal that is aborted from the start.
 */
export function limitHandling(app: FastifyInstance): void {
  const timeoutMs = app.kernel.config.HANDLER_TIMEOUT_MS
  app.decorateRequest('unwanted')
  app.addHook('onRequest', (request, reply, done) => {
    const controller = new AbortController()
    request.unwanted = controller.signal
    const timer = setTimeout(() => {
      if (reply.sent) return
      const problem = new HandlerTimedOut()
      controller.abort(problem)
      reply.send(problem)
    }, timeoutMs)
    reply.raw.once('close', () => {
      clearTimeout(timer)
      // A reason that exists already: without one, each abort makes an error with a stack.
      controller.abort(closed)
    })
    done()
  })
}
