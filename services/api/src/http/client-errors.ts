import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { newId } from '#platform/id.ts'
import { defineProblem } from '#platform/problem.ts'
import { HeaderTooLarge, MalformedRequest, problemBody } from './problems.ts'

const RequestTimedOut = defineProblem({
  status: 408,
  code: 'REQUEST_TIMED_OUT',
  title: 'The request did not arrive in time',
  retryable: true,
})

/** Answers what Node refuses before there is a request: broken HTTP, too large headers, too slow clients. */
export function answerBrokenConnections(this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const requestId = newId('req')
  const problem = problemOf(error.code)
  this.log.info({ requestId, 'error.code': problem.code, reason: error.code }, 'connection refused')
  const body = JSON.stringify(problemBody(problem, this.kernel.baseUrl(), '/', requestId))
  socket.end(
    `HTTP/1.1 ${problem.statusCode} ${STATUS_CODES[problem.statusCode]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function problemOf(code: string | undefined) {
  if (code === 'HPE_HEADER_OVERFLOW') return new HeaderTooLarge()
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimedOut()
  return new MalformedRequest({ detail: 'The request is not valid HTTP' })
}
