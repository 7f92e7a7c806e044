import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { newId } from '#platform/id.ts'
import { defineProblem } from '#platform/problem.ts'
import { MalformedRequest, problemBody } from './problems.ts'

const ExpectationFailed = defineProblem({
  status: 417,
  code: 'EXPECTATION_FAILED',
  title: 'The only expectation that is met is 100-continue',
})

/** Refuses what Node lets pass although it is no proper HTTP/1.1 (RFC 9110, 9112), and what Node answers by itself. */
export function refuseImproperHttp(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const flaw = flawOf(raw)
    if (flaw === null) return done()
    reply.header('connection', 'close')
    done(new MalformedRequest({ detail: flaw }))
  })
  app.server.on('checkExpectation', (request, response) => {
    const requestId = newId('req')
    const body = JSON.stringify(problemBody(new ExpectationFailed(), app.kernel.baseUrl(), pathOf(request), requestId))
    app.log.info({ requestId, 'error.code': ExpectationFailed.definition.code }, 'connection refused')
    response.writeHead(417, {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': requestId,
      connection: 'close',
    })
    response.end(body)
  })
}

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/'

/** Headers that stand once. Node keeps the first or joins them; a proxy in front may believe another one. */
const singletons = new Set(['host', 'authorization', 'content-type', 'idempotency-key'])

function flawOf({ httpVersion, headers, method, rawHeaders, url = '' }: IncomingMessage): string | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'Only HTTP/1.1 and HTTP/1.0 are spoken here'
  if (headers.host === undefined && httpVersion === '1.1') return 'The Host header is missing'
  if (!/^(\/|https?:\/\/)/i.test(url) && method !== 'OPTIONS') return 'The target of the request is no address'
  let seen = ''
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    if (!singletons.has(name)) continue
    if (seen.includes(`${name} `)) return `The header ${name} stands twice`
    seen += `${name} `
  }
  return null
}
