import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { GapError, Purser, RateLimitError, ServerError, TimeoutError } from '@purser/sdk'
import { type Test, test } from 'tap'
import { type Block, BlockParser, type ConnectionChange } from '../src/stream.ts'
import { failure, listen } from './server.ts'

const read = (...pieces: string[]): Block[] => {
  const parser = new BlockParser()
  return pieces.flatMap((piece) => [...parser.push(piece)])
}

test('reads blocks with every line end, however they are cut', async (t) => {
  const text =
    'id: 1\r\nevent: a\r\ndata: {"a":1}\r\n\r\n:comment\rid: 2\rdata: x\r\rid:3\ndata:y\ndata: z\n\nid: 4\n\n'
  const whole = [
    { id: '1', data: '{"a":1}' },
    { id: '2', data: 'x' },
    { id: '3', data: 'y\nz' },
    { id: '4', data: '' },
  ]
  t.strictSame(read(text), whole)
  t.strictSame(read(...text), whole, 'one character at a time')
  for (let cut = 1; cut < text.length; cut++) t.strictSame(read(text.slice(0, cut), text.slice(cut)), whole)
})

test('keeps to the rules of the standard', async (t) => {
  t.strictSame(read('data: x\n'), [], 'what has no end is no event')
  t.strictSame(read('data:  x\n\n'), [{ id: undefined, data: ' x' }], 'one space is taken off')
  t.strictSame(read('data\n\ndata: x\n\n'), [{ id: undefined, data: 'x' }])
  t.strictSame(read('id: 1\0\ndata: x\n\n'), [{ id: undefined, data: 'x' }], 'an id with NUL is none')
  t.strictSame(read('nonsense: 1\n: 2\ndata: x\n\n'), [{ id: undefined, data: 'x' }])
  t.strictSame(read('id: 7\ndata: x\n\ndata: y\n\n').at(-1), { id: '7', data: 'y' }, 'an id stays')
  const parser = new BlockParser()
  t.strictSame([...parser.push('retry: 12\nretry: x\n')], [])
  t.equal(parser.retryMs, 12)
})

type Script = (request: IncomingMessage, response: ServerResponse, index: number) => void

/** A server whose connections are scripted one by one, and a client of it. */
async function streaming(t: Test, script: Script) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    script(request, response, requests.length - 1)
  })
  const baseUrl = await listen(t, server)
  const ids = () => requests.map(({ headers }) => headers['last-event-id'])
  return { purser: new Purser({ baseUrl, apiKey: 'sk_test_1', maxRetries: 0 }), requests, ids }
}

const open = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })
const event = (sequence: number, type = 'order.placed'): string =>
  `id: ${sequence}\nevent: ${type}\ndata: ${JSON.stringify({ sequence, type })}\n\n`
const refuse = (response: ServerResponse, status: number, code: string, more: object = {}): void => {
  const body = { status, title: 'x', error: { code, message: 'x' }, errors: [], meta: { requestId: 'req_1' }, ...more }
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body))
}

async function take(stream: AsyncIterable<unknown>, count: number): Promise<number[]> {
  const sequences: number[] = []
  for await (const item of stream) {
    sequences.push((item as { sequence: number }).sequence)
    if (sequences.length === count) break
  }
  return sequences
}

test('goes on where it was after a clean end, a broken connection and a failing service', async (t) => {
  const { purser, ids } = await streaming(t, (_request, response, index) => {
    if (index === 0) open(response).end(`retry: 1\n${event(8)}id: 9\n\n`)
    else if (index === 1) open(response).write(`${event(10)}id: 11\ndata: {"seq`, () => response.destroy())
    else if (index === 2) refuse(response, 503, 'DRAINING', { retryable: true })
    else open(response).write(event(11) + event(12))
  })
  const stream = purser.events.stream({ types: ['order.*'] }, { after: 7 })
  t.strictSame(await take(stream, 4), [8, 10, 11, 12])
  t.strictSame(ids(), ['7', '9', '10', '10'])
  t.equal(stream.position, 12)
})

test('tells once of an outage, however many tries it takes, and once when events come again', async (t) => {
  const changes: ConnectionChange[] = []
  const { purser, requests } = await streaming(t, (_request, response, index) => {
    if (index === 0) open(response).write(`retry: 1\n${event(8)}`, () => response.destroy())
    else if (index === 1) refuse(response, 503, 'DRAINING', { retryable: true })
    else if (index === 2) open(response).end()
    else if (index === 3) open(response).end(`retry: 1\n${event(9)}`)
    else open(response).write(event(10))
  })
  const onConnection = (change: ConnectionChange) => void changes.push(change)
  t.strictSame(await take(purser.events.stream({}, { onConnection }), 3), [8, 9, 10])
  t.match(changes, [
    { isOpen: false, error: { message: 'terminated' } },
    { isOpen: true, position: 8 },
    { isOpen: false, error: undefined },
    { isOpen: true, position: 9 },
  ])
  t.equal(requests.length, 5)
  t.equal(changes.length, 4)
  const refused = await streaming(t, (_request, response) => refuse(response, 503, 'X'))
  await failure(take(refused.purser.events.stream({}, { onConnection, maxRetries: 0 }), 1))
  t.equal(changes.length, 4, 'what was never open is not lost')
})

test('decodes characters that come in two pieces, behind a byte order mark', async (t) => {
  const { purser } = await streaming(t, (_request, response) => {
    const bytes = Buffer.from(`\ufeffid: 1\ndata: {"sequence":1,"text":"Grüße 🎁"}\n\n`)
    open(response).flushHeaders()
    let at = 0
    const timer = setInterval(() => {
      response.write(bytes.subarray(at, at + 7))
      at += 7
      if (at >= bytes.length) clearInterval(timer)
    }, 1)
  })
  for await (const item of purser.events.stream()) {
    t.match(item, { sequence: 1, text: 'Grüße 🎁' })
    break
  }
})

test('ends with 204, and throws what is no use to repeat', async (t) => {
  const none = await streaming(t, (_request, response) => response.writeHead(204).end())
  t.strictSame(await take(none.purser.events.stream(), 1), [])
  const forbidden = await streaming(t, (_request, response, index) => {
    if (index === 0) open(response).end(`retry: 1\n${event(1)}`)
    else refuse(response, 403, 'FORBIDDEN')
  })
  t.match(await failure(take(forbidden.purser.events.stream(), 2)), { status: 403, code: 'FORBIDDEN' })
  t.equal(forbidden.requests.length, 2)
})

test('a gap is an error of its own, which names the oldest position', async (t) => {
  const { purser } = await streaming(t, (_request, response) =>
    refuse(response, 410, 'CURSOR_EXPIRED', { errors: [{ suggestion: '4711' }] }),
  )
  const error = await failure(take(purser.events.stream({}, { after: 3 }), 1))
  t.ok(GapError.is(error, 'CURSOR_EXPIRED'))
  if (GapError.is(error)) t.equal(error.oldestPosition, 4_711)
})

test('gives up when the first connection fails as often as calls do', async (t) => {
  const { purser, requests } = await streaming(t, (_request, response) => refuse(response, 503, 'X'))
  t.ok(ServerError.is(await failure(take(purser.events.stream({}, { maxRetries: 1 }), 1))))
  t.equal(requests.length, 2)
  const limited = await streaming(t, (_request, response) => refuse(response, 429, 'TOO_MANY_STREAMS'))
  t.ok(RateLimitError.is(await failure(take(limited.purser.events.stream(), 1))))
})

test('a silent connection counts as dead and is opened again', async (t) => {
  const { purser, ids } = await streaming(t, (_request, response, index) => {
    open(response).write(`retry: 1\n${index === 0 ? event(1) : event(2)}`)
  })
  t.strictSame(await take(purser.events.stream({}, { idleTimeoutMs: 200 }), 2), [1, 2])
  t.strictSame(ids(), [undefined, '1'])
  t.ok(TimeoutError)
})

test('aborting is final, and ending the loop closes the connection', async (t) => {
  let closed = 0
  const { purser, requests } = await streaming(t, (_request, response) => {
    open(response).write(event(1))
    response.on('close', () => closed++)
  })
  const controller = new AbortController()
  const aborted = take(purser.events.stream({}, { signal: controller.signal }), 5)
  setTimeout(() => controller.abort(), 100)
  t.match(await failure(aborted), { code: 'ABORTED' })
  t.strictSame(await take(purser.events.stream(), 1), [1])
  for (let waited = 0; closed < 2 && waited < 100; waited++) await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(closed, 2)
  t.equal(requests.length, 2)
})

test('types that are newer than this package pass through', async (t) => {
  const { purser } = await streaming(t, (_request, response) => {
    open(response).write(event(1, 'drone.landed') + event(2))
  })
  const seen: unknown[] = []
  for await (const item of purser.events.stream()) {
    seen.push(item.type)
    if (item.type !== 'order.placed') continue
    // Compiles because a known type tells the shape of the data.
    seen.push(item.data?.lines?.[0]?.sku)
    break
  }
  t.strictSame(seen, ['drone.landed', 'order.placed', undefined])
})

test('what is no JSON is an error, not an event', async (t) => {
  const { purser } = await streaming(t, (_request, response) => open(response).write('id: 1\ndata: {\n\n'))
  const stream = purser.events.stream()
  t.match(await failure(take(stream, 1)), { code: 'DECODE_FAILED' })
  t.equal(stream.position, undefined)
})
