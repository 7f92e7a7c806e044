import { connect } from 'node:net'
import t from 'tap'
import { captureLog } from '#test/captured-log.ts'
import { harness } from '#test/harness.ts'

const captured = captureLog()
const env = {
  HEADERS_TIMEOUT_MS: '500',
  REQUEST_TIMEOUT_MS: '1000',
  CONNECTION_CHECK_INTERVAL_MS: '50',
  PUBLIC_URL: 'https://shop.example',
}
const h = await harness(t, { env, log: captured.log })
await h.app.http.listen({ host: '127.0.0.1', port: 0 })
const address = h.app.http.server.address()
const port = typeof address === 'object' && address ? address.port : 0

/** Sends these pieces as they are and collects what comes back until the service closes the connection. */
function exchange(...pieces: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (data) => {
      received += data
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
    for (const piece of pieces) socket.write(piece)
  })
}

const request = (...headers: string[]) => `GET /health/live HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\n`

function problemOf(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [, status = ''] = /^HTTP\/1\.1 (\d+ .*)$/m.exec(head) ?? []
  const [, requestId = ''] = /^X-Request-Id: (\S+)$/m.exec(head) ?? []
  return {
    status: status.trim(),
    requestId,
    head,
    body: JSON.parse(body) as { meta: object } & Record<string, unknown>,
  }
}

t.test('headers beyond 16 KiB answer 431', async (t) => {
  const { status, head, body, requestId } = problemOf(await exchange(request(`X-Large: ${'x'.repeat(17_000)}`, '')))
  t.equal(status, '431 Request Header Fields Too Large')
  t.match(head, 'Content-Type: application/problem+json')
  t.match(head, 'Connection: close')
  t.match(body, {
    type: 'https://shop.example/problems/headers-too-large',
    status: 431,
    success: false,
    error: { code: 'HEADERS_TOO_LARGE' },
    meta: { requestId },
  })
  t.match(await exchange(request(`X-Large: ${'x'.repeat(15_000)}`, 'Connection: close', '')), /^HTTP\/1\.1 200 /)
})

t.test('a client that does not finish its headers in time gets 408', async (t) => {
  const { status, body } = problemOf(await exchange('GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: '))
  t.equal(status, '408 Request Timeout')
  t.match(body, { retryable: true, error: { code: 'REQUEST_TIMED_OUT' } })
})

t.test('a client that does not finish its body in time gets 408', async (t) => {
  const head = [
    'POST /v1/locations HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${h.tenant.key}`,
    'Content-Type: application/json',
    'Content-Length: 100',
    '',
    '{"name":',
  ]
  const { status, body } = problemOf(await exchange(head.join('\r\n')))
  t.equal(status, '408 Request Timeout')
  t.match(body, { error: { code: 'REQUEST_TIMED_OUT' } })
  t.equal((await h.as(h.tenant.key).get('/v1/locations')).body.data.length, 1)
})

t.test('what is not HTTP answers 400', async (t) => {
  const pieces = [
    'NONSENSE\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    request('Content-Length: 1', 'Transfer-Encoding: chunked', ''),
    request('Content-Length: -1', ''),
    request('Bad Header: x', ''),
    request('X-Nul: a\0b', ''),
    'GET /health/live HTTP/1.1\r\n\r\n',
  ]
  for (const piece of pieces) {
    const answer = await exchange(piece)
    t.match(answer, /^HTTP\/1\.1 400 /, JSON.stringify(piece.slice(0, 60)))
  }
  const { body, requestId } = problemOf(await exchange(pieces[0] ?? ''))
  t.match(body, { error: { code: 'MALFORMED_REQUEST' }, meta: { requestId } })
  t.match(requestId, /^req_/)
})

t.test('the log has a line for each of these, and the service goes on', async (t) => {
  const lines = captured.take().filter(({ message }) => message === 'connection refused')
  const codes = new Set(lines.map((line) => line['error.code']))
  t.same([...codes].sort(), ['HEADERS_TOO_LARGE', 'MALFORMED_REQUEST', 'REQUEST_TIMED_OUT'])
  for (const line of lines) t.match(line, { level: 'info', requestId: /^req_/ })
  t.match(await exchange(request('Connection: close', '')), /^HTTP\/1\.1 200 /)
})

t.test('answers pipelined requests in their order', async (t) => {
  const answers = await exchange(
    request('X-Request-Id: one', ''),
    request('X-Request-Id: two', 'Connection: close', ''),
  )
  const ids = [...answers.matchAll(/x-request-id: (\w+)/gi)].map(([, id]) => id)
  t.same(ids, ['one', 'two'])
})
