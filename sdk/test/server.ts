import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Purser, type PurserOptions } from '@purser/sdk'
import type { Test } from 'tap'
import { Credentials } from '../src/auth.ts'
import { Transport } from '../src/transport.ts'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** When it arrived, in milliseconds since the server started. */
  readonly atMs: number
}

/** What the server answers one request with; `wait` before the head, `stall` inside the body. */
export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly text?: string
  readonly waitMs?: number
  readonly stallMs?: number
  readonly destroy?: boolean
}

type Script = readonly Reply[] | ((request: Received, index: number) => Reply)

/** A real HTTP server that answers by script; the last reply of a list is repeated. */
export async function serve(t: Test, script: Script) {
  const requests: Received[] = []
  const startedAt = performance.now()
  const server = createServer(async (request, response) => {
    const received = { ...(await read(request)), atMs: performance.now() - startedAt }
    requests.push(received)
    const index = requests.length - 1
    const reply = typeof script === 'function' ? script(received, index) : (script[index] ?? script.at(-1) ?? {})
    await answer(response, reply)
  })
  const baseUrl = await listen(t, server)
  const client = (options: PurserOptions = {}) =>
    new Purser({ baseUrl, ...(options.auth ? {} : { apiKey: 'sk_test_1' }), ...options })
  /** For operations that the document does not have. */
  const transport = ({ apiKey, auth }: Pick<PurserOptions, 'apiKey' | 'auth'>) => {
    const settings = {
      baseUrl,
      timeoutMs: 30_000,
      maxRetries: 2,
      maxRetryAfterMs: 60_000,
      headers: {},
      fetch: undefined,
    }
    return new Transport(settings, new Credentials(apiKey, auth))
  }
  return { baseUrl, requests, client, transport }
}

export async function listen(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What a call fails with. */
export async function failure(call: PromiseLike<unknown>): Promise<unknown> {
  return call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  )
}

/** A success envelope. */
export function ok(data: unknown, page?: unknown): Reply {
  return { json: { success: true, data, meta: { requestId: 'req_body', ...(page ? { page } : {}) } } }
}

/** A problem envelope. */
export function problem(status: number, code: string, more: Record<string, unknown> = {}): Reply {
  const text = { type: 'http://127.0.0.1/problems/x', title: 'A title', detail: 'a detail', instance: '/v1/orders' }
  const error = { code, message: 'a detail' }
  return { status, json: { ...text, status, success: false, error, meta: { requestId: 'req_body' }, ...more } }
}

export function withHeaders(reply: Reply, headers: Readonly<Record<string, string>>): Reply {
  return { ...reply, headers: { ...reply.headers, ...headers } }
}

async function read(request: IncomingMessage): Promise<Omit<Received, 'atMs'>> {
  let body = ''
  for await (const chunk of request) body += chunk
  return { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
}

async function answer(response: ServerResponse, reply: Reply): Promise<void> {
  if (reply.waitMs) await pause(reply.waitMs)
  if (reply.destroy || response.destroyed) {
    response.destroy()
    return
  }
  const isProblem = (reply.status ?? 200) >= 400
  const contentType =
    reply.json === undefined ? 'text/html' : isProblem ? 'application/problem+json' : 'application/json'
  response.writeHead(reply.status ?? 200, { 'content-type': contentType, ...reply.headers })
  const text = reply.json === undefined ? (reply.text ?? '') : JSON.stringify(reply.json)
  if (reply.stallMs) {
    response.write(text.slice(0, 1))
    await pause(reply.stallMs)
    response.end(text.slice(1))
  } else response.end(text)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
