import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { listening } from './listening.ts'

/** One request as it arrived. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: {
    readonly id: string
    readonly type: string
    readonly sequence: number
    readonly [name: string]: unknown
  }
  readonly at: number
}

export type Answerer = (received: Received, response: ServerResponse, request: IncomingMessage) => void

/** A receiver of webhooks on this machine. */
export interface Receiver {
  readonly url: string
  readonly received: readonly Received[]
  /** Replaces how it answers; at first with 204. */
  answer(answerer: Answerer | number): void
  /** Most requests that it handled at a time. */
  readonly busiest: number
}

export const statusAnswer =
  (status: number, headers: Readonly<Record<string, string>> = {}): Answerer =>
  (_received, response) =>
    void response.writeHead(status, headers).end()

export async function receiver(t: Test, answerer: Answerer | number = 204): Promise<Receiver> {
  const received: Received[] = []
  const asAnswerer = (given: Answerer | number) => (typeof given === 'number' ? statusAnswer(given) : given)
  let answer = asAnswerer(answerer)
  let [open, busiest] = [0, 0]
  const server = http.createServer(async (request, response) => {
    busiest = Math.max(busiest, ++open)
    response.once('close', () => open--)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const entry = { headers: request.headers, body, event: JSON.parse(body), at: performance.now() }
    received.push(entry)
    answer(entry, response, request)
  })
  const port = await listening(t, server)
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answer: (given) => {
      answer = asAnswerer(given)
    },
    get busiest() {
      return busiest
    },
  }
}
