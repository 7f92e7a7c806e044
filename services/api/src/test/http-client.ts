import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { checkAgainstContract } from './contract-check.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape; the contract check is strict
  readonly body: any
  /** The exact characters of `data`. */
  readonly data: string
}

type Headers = Readonly<Record<string, string>>

export interface Client {
  get(url: string, headers?: Headers): Promise<Answer>
  /** Sends a fresh Idempotency-Key unless `headers` has one; an empty one sends none. */
  post(url: string, body?: unknown, headers?: Headers): Promise<Answer>
  put(url: string, body: unknown, headers?: Headers): Promise<Answer>
  patch(url: string, body: unknown, headers?: Headers): Promise<Answer>
  /** Anything else, byte by byte; a string or buffer body is sent as it is. */
  send(request: InjectOptions): Promise<Answer>
}

/** A client in the same process. Every answer is validated against the published contract. */
export function createClient(app: FastifyInstance, key?: string): Client {
  const send = async (request: InjectOptions): Promise<Answer> => {
    const authorization: Headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const response = await app.inject({
      ...request,
      headers: { ...authorization, ...request.headers },
      payloadAsStream: true,
    })
    const type = String(response.headers['content-type'] ?? '')
    const text = await textOf(response.stream(), type)
    const answer = {
      status: response.statusCode,
      headers: response.headers as Answer['headers'],
      text,
      body: /json\b/.test(type) && text !== '' ? JSON.parse(text) : null,
      data: dataOf(text),
    }
    checkAgainstContract(String(request.method ?? 'GET'), String(request.url), answer)
    return answer
  }
  const write =
    (method: 'POST' | 'PUT' | 'PATCH') =>
    (url: string, body?: unknown, headers: Headers = {}) => {
      const fresh: Record<string, string> = method === 'POST' ? { 'idempotency-key': randomUUID() } : {}
      const all = Object.entries({ ...fresh, ...headers }).filter(([, value]) => value !== '')
      return send({
        method,
        url,
        headers: Object.fromEntries(all),
        ...(body === undefined ? {} : { payload: body as object }),
      })
    }
  return {
    get: (url, headers = {}) => send({ method: 'GET', url, headers }),
    post: write('POST'),
    put: write('PUT'),
    patch: write('PATCH'),
    send,
  }
}

/** All of it; of a stream, which does not end, the beginning. */
async function textOf(body: Readable, type: string): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of body) {
    pieces.push(piece)
    if (type.startsWith('text/event-stream')) break
  }
  return Buffer.concat(pieces).toString()
}

const dataOf = (text: string): string => /^\{"success":true,"data":(.*),"meta":\{"requestId":/s.exec(text)?.[1] ?? ''
