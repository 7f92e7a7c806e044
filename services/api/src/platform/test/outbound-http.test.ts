import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createOutbound, type OutboundOptions } from '#platform/outbound-http.ts'
import { selfSigned } from '#test/certificate.ts'
import { testConfig } from '#test/config.ts'
import { listening } from '#test/listening.ts'

const local = { OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8' }

function outbound(t: Test, env: Record<string, string> = local, options: Partial<OutboundOptions> = {}) {
  const made = createOutbound({ config: testConfig('postgres://nobody@localhost/none', env), ...options })
  t.teardown(() => made.close())
  return (url: string, body = '{}') => made.post({ url, headers: { 'content-type': 'application/json' }, body })
}

/** A server that says these bytes to whoever connects. */
const saying = (t: Test, text: string, ends = true) =>
  listening(
    t,
    net.createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => (ends ? socket.end(text) : socket.write(text)))
    }),
  )

t.test('posts the body with its headers and reads status and answer', async (t) => {
  const seen: { headers: http.IncomingHttpHeaders; body: string; method: string | undefined }[] = []
  const server = http.createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ headers: request.headers, body, method: request.method })
    response.writeHead(202, { 'retry-after': '7' }).end('käse')
  })
  const port = await listening(t, server)
  const post = outbound(t)
  t.match(await post(`http://127.0.0.1:${port}/a?b=c`, 'ü'), {
    status: 202,
    error: null,
    excerpt: 'käse',
    retryAfter: '7',
  })
  t.match(seen, [
    {
      method: 'POST',
      body: 'ü',
      headers: { host: `127.0.0.1:${port}`, 'content-length': '2', 'content-type': /json/ },
    },
  ])
})

t.test('keeps connections, and tries once more when a kept one was closed meanwhile', async (t) => {
  let connections = 0
  const server = http.createServer((_request, response) => void response.end('ok'))
  server.on('connection', () => connections++)
  const port = await listening(t, server)
  const post = outbound(t)
  for (let call = 0; call < 5; call++) t.match(await post(`http://127.0.0.1:${port}/`), { status: 200 })
  t.equal(connections, 1)
  // The next request meets a connection that is reset as soon as it writes.
  server.removeAllListeners('request')
  server.once('request', (request) => {
    request.socket.resetAndDestroy()
    server.on('request', (_request, response) => void response.end('ok'))
  })
  t.match(await post(`http://127.0.0.1:${port}/`), { status: 200 })
  t.equal(connections, 2)
})

t.test('says why there was no answer', async (t) => {
  const post = outbound(t, local, { timeoutMs: 700 })
  const closed = await listening(t, net.createServer())
  const cases: readonly (readonly [string, Promise<number>])[] = [
    [
      'CONNECTION_RESET',
      listening(
        t,
        net.createServer((socket) => void socket.on('error', () => {}).resetAndDestroy()),
      ),
    ],
    [
      'CONNECTION_RESET',
      listening(
        t,
        net.createServer((socket) => void socket.on('error', () => {}).end()),
      ),
    ],
    [
      'TIMEOUT',
      listening(
        t,
        net.createServer((socket) => void socket.on('error', () => {})),
      ),
    ],
    ['TIMEOUT', saying(t, 'HTTP/1.1 200 OK\r\nx-a: 1\r\n', false)],
    ['HEADERS_TOO_LARGE', saying(t, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)],
    ['PROTOCOL_ERROR', saying(t, 'SSH-2.0-OpenSSH_9.6\r\n')],
    ['PROTOCOL_ERROR', saying(t, 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx')],
  ]
  for (const [error, port] of cases)
    t.match(await post(`http://127.0.0.1:${await port}/`), { status: null, error }, error)
  t.match(await post('http://127.0.0.1:1/'), { status: null, error: 'CONNECTION_REFUSED' })
  t.match(await post(`https://127.0.0.1:${await saying(t, 'HTTP/1.1 200 OK\r\n\r\n')}/`), { error: 'TLS_FAILED' })
  t.match(await post('https://10.0.0.1/'), { status: null, error: 'ADDRESS_NOT_PUBLIC' })
  t.match(await post(`http://user@127.0.0.1:${closed}/`), { status: null, error: 'USERINFO_NOT_ALLOWED' })
})

t.test('follows no redirect', async (t) => {
  let followed = 0
  const inside = await listening(
    t,
    http.createServer((_request, response) => void response.end(String(followed++))),
  )
  const location = `http://127.0.0.1:${inside}/`
  const server = http.createServer((_request, response) => void response.writeHead(307, { location }).end())
  t.match(await outbound(t)(`http://127.0.0.1:${await listening(t, server)}/`), { status: 307, error: null })
  t.equal(followed, 0)
})

t.test('reads 1 kB of an answer, however long or slow it is, and lets the status decide', async (t) => {
  const post = outbound(t, local, { timeoutMs: 800 })
  let written = 0
  const endless = http.createServer((_request, response) => {
    response.on('error', () => {})
    const write = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) written += 65_536
      if (!response.destroyed) response.once('drain', write)
    }
    write()
  })
  const answer = await post(`http://127.0.0.1:${await listening(t, endless)}/`)
  t.match(answer, { status: 200, error: null })
  t.equal(answer.excerpt, 'x'.repeat(1_024))
  t.ok(answer.durationMs < 700)
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.ok(written < 20_000_000, `the receiver wrote ${written} bytes before the connection was dropped`)
  const trickling = http.createServer((_request, response) => {
    const timer = setInterval(() => response.write('.'), 50)
    response.on('close', () => clearInterval(timer))
  })
  const slow = await post(`http://127.0.0.1:${await listening(t, trickling)}/`)
  t.match(slow, { status: 200, error: null, excerpt: /^\.{5,}$/ })
  t.ok(slow.durationMs < 1_500, `${slow.durationMs} ms`)
})

t.test('a name is looked up at each send, and only the addresses that were checked are connected to', async (t) => {
  const server = http.createServer((request, response) => void response.end(request.headers.host))
  const port = await listening(t, server)
  const answers = [['127.0.0.1'], ['10.0.0.1'], ['127.0.0.1', '10.0.0.1']]
  const post = outbound(t, local, { resolve: async () => answers.shift() ?? [] })
  t.match(await post(`http://rebinding.example:${port}/`), { status: 200, excerpt: `rebinding.example:${port}` })
  t.match(await post(`http://rebinding.example:${port}/`), { status: null, error: 'SCHEME_NOT_ALLOWED' })
  t.match(await post(`https://rebinding.example:${port}/`), { status: null, error: 'PORT_NOT_ALLOWED' })
  t.match(await post(`http://rebinding.example:${port}/`), { status: null, error: 'HOST_NOT_FOUND' })
})

t.test('a name server that does not answer costs the time of one request', async (t) => {
  const post = outbound(t, local, { timeoutMs: 300, resolve: () => delay(2_000, []) })
  const { error, durationMs } = await post('https://slow.example/')
  t.equal(error, 'TIMEOUT')
  t.ok(durationMs < 1_000)
})

t.test('over TLS the certificate must be the name’s and trusted', async (t) => {
  const { keyFile, certificateFile } = selfSigned()
  const names: unknown[] = []
  const options = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) }
  const server = https.createServer(options, (_request, response) => void response.end('safe'))
  server.on('secureConnection', (socket) => names.push(socket.servername))
  const port = await listening(t, server)
  const resolve = async () => ['127.0.0.1']
  const untrusting = outbound(t, local, { resolve })
  t.match(await untrusting(`https://receiver.example:${port}/`), { status: null, error: 'TLS_FAILED' })
  const trusting = outbound(t, { ...local, OUTBOUND_EXTRA_CA: certificateFile }, { resolve })
  t.match(await trusting(`https://receiver.example:${port}/`), { status: 200, excerpt: 'safe' })
  t.match(await trusting(`https://receiver.example.:${port}/`), { status: 200, excerpt: 'safe' })
  t.match(await trusting(`https://other.example:${port}/`), { status: null, error: 'TLS_FAILED' })
  t.ok(names.includes('receiver.example') && !names.includes('receiver.example.'), 'named without its last dot')
  const missing = { ...local, OUTBOUND_EXTRA_CA: '/nowhere.pem' }
  t.throws(() => outbound(t, missing), { code: 'ENOENT' })
})
