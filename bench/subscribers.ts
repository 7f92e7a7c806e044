import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** An event of an order, and when it came: both times in milliseconds since 1970. */
export interface Arrival {
  readonly id: string
  readonly occurredAt: number
  readonly at: number
}

/** Somebody who hears of events, and notes when. */
export interface Subscriber {
  /** In their order. */
  readonly arrivals: readonly Arrival[]
  /** Begins anew. */
  forget(): void
  close(): void
}

/** How every event begins: parsing all of it would take time that is Purser's. */
const beginning = /^\{"id":"([^"]+)","sequence":\d+,"type":"([^"]+)","schemaVersion":\d+,"occurredAt":"([^"]+)"/

function createTally() {
  const arrivals: Arrival[] = []
  return {
    arrivals,
    forget: () => void arrivals.splice(0),
    arrived(json: string): void {
      const at = performance.timeOrigin + performance.now()
      const [, id, type, occurredAt] = beginning.exec(json) ?? []
      if (!id || !type || !occurredAt) throw new Error(`not the beginning of an event: ${json.slice(0, 200)}`)
      if (type.startsWith('order.')) arrivals.push({ id: copyOf(id), occurredAt: Date.parse(occurredAt), at })
    },
  }
}

/** A part of a string keeps all of it alive, and what is kept has to be collected while Purser is measured. */
const copyOf = (part: string): string => Buffer.from(part).toString()

/** Reads `GET /v1/events/stream` as a browser does. */
export async function subscribeStream(url: string, apiKey: string): Promise<Subscriber> {
  const { arrived, ...tally } = createTally()
  const request = http.get(new URL('/v1/events/stream', url), {
    agent: false,
    headers: { authorization: `Bearer ${apiKey}`, accept: 'text/event-stream' },
  })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`the stream was answered ${response.statusCode}`)
  let rest = ''
  response.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) arrived(line.slice('data: '.length))
  })
  response.on('error', () => undefined)
  return { ...tally, close: () => void request.destroy() }
}

/** A receiver of webhooks on loopback that answers 204 at once. */
export async function subscribeWebhooks(): Promise<Subscriber & { readonly url: string }> {
  const { arrived, ...tally } = createTally()
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      arrived(body)
      response.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { ...tally, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}
