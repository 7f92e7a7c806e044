import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HandlerTimedOut, logProblem } from './problems.ts'

const closed = 'the connection is done'

/**
 * Answers 503 when handling takes longer than `HANDLER_TIMEOUT_MS`; `request.unwanted` aborts then, and when the client
 * has gone. Fastify's own handlerTimeout and signal follow the request's `close`, which Node emits as soon as a body
 * has been read: requests with a body would have no limit, and a signal that is aborted from the start.
 */
export function limitHandling(app: FastifyInstance): void {
  const timeoutMs = app.kernel.config.HANDLER_TIMEOUT_MS
  app.decorateRequest('unwanted')
  app.decorateRequest('endLimit')
  logLateFailures(app)
  app.addHook('onRequest', (request, reply, done) => {
    const controller = new AbortController()
    request.unwanted = controller.signal
    const timer = setTimeout(() => {
      // A file that is being streamed takes as long as its reader does.
      if (reply.sent || reply.raw.headersSent) return
      const problem = new HandlerTimedOut()
      controller.abort(problem)
      reply.send(problem)
    }, timeoutMs)
    const end = (): void => {
      clearTimeout(timer)
      // A reason that exists already: without one, each abort makes an error with a stack.
      controller.abort(closed)
    }
    reply.raw.on('close', end)
    request.endLimit = end
    done()
  })
}

/** Takes the limit off an answer that does not end, and keeps nothing of it for as long as that answer lasts. */
export function liftLimit(request: FastifyRequest, reply: FastifyReply): void {
  request.endLimit?.()
  if (request.endLimit) reply.raw.off('close', request.endLimit)
  request.endLimit = undefined
}

/** A handler that fails after its 503 has nobody to tell but the log. */
function logLateFailures(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { handler } = route
    route.handler = function (request, reply) {
      const handled = handler.call(this, request, reply)
      if (!(handled instanceof Promise)) return handled
      return handled.catch((error: unknown) => {
        if (!reply.sent) throw error
        logProblem(error, request)
      })
    }
  })
}
