import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** How long events were under way: from the start of their transaction to here, in milliseconds. */
export interface Subscriber {
  /** In the order of arrival. */
  readonly latencies: readonly number[]
  /** Forgets what came so far. */
  reset(): void
  close(): void
}

interface Arrived {
  readonly type: string
  readonly occurredAt: string
}

function createTally() {
  const latencies: number[] = []
  return {
    latencies,
    reset: () => void latencies.splice(0),
    arrived(json: string): void {
      const { type, occurredAt } = JSON.parse(json) as Arrived
      if (type.startsWith('order.')) latencies.push(Date.now() - Date.parse(occurredAt))
    },
  }
}

/** Reads `GET /v1/events/stream` as a browser does. */
export async function subscribeStream(url: string, apiKey: string): Promise<Subscriber> {
  const { latencies, reset, arrived } = createTally()
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
  return { latencies, reset, close: () => void request.destroy() }
}

/** A receiver of webhooks on loopback that answers 204 at once. */
export async function subscribeWebhooks(): Promise<Subscriber & { readonly url: string }> {
  const { latencies, reset, arrived } = createTally()
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
  return { latencies, reset, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}
