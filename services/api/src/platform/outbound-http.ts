import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import tls from 'node:tls'
import { type Config, outboundNetworks } from './config.ts'
import {
  createGuard,
  createResolve,
  OutboundRefused,
  type RefusalCode,
  type Resolve,
  type Target,
} from './outbound-address.ts'

/** Why a call that was allowed brought no answer. */
export type FailureCode =
  | 'CONNECTION_REFUSED'
  | 'CONNECTION_RESET'
  | 'UNREACHABLE'
  | 'TLS_FAILED'
  | 'TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'PROTOCOL_ERROR'
  /** A defect of the caller: nothing was sent. */
  | 'NOT_SENT'

export interface OutboundRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What came of a call. Nothing throws: a receiver that fails is an expected outcome. */
export interface OutboundOutcome {
  /** Null: no answer. */
  readonly status: number | null
  readonly error: RefusalCode | FailureCode | null
  /** Seconds or a date, as the receiver sent it. */
  readonly retryAfter: string | null
  /** The first 1,024 bytes of the answer. */
  readonly excerpt: string
  readonly durationMs: number
}

/** Calls to URLs that clients gave. */
export interface Outbound {
  /** @throws OutboundRefused when the URL may not be called. */
  check(url: string): Promise<void>
  /** One POST within 15 s from look-up to the last byte that is read. Redirects are answers like any other. */
  post(request: OutboundRequest): Promise<OutboundOutcome>
  close(): void
}

export interface OutboundOptions {
  readonly config: Config
  readonly resolve?: Resolve
  readonly timeoutMs?: number
}

const wholeRequestMs = 15_000
const excerptBytes = 1_024
const maxHeaderBytes = 16_384
/** Idle connections: so many are kept per receiver, for as long. Who takes more at a time is connected to anew. */
const idle = { keepAlive: true, maxFreeSockets: 50, timeout: 10_000 } as const

/** @throws Error when the file OUTBOUND_EXTRA_CA names cannot be read. */
export function createOutbound({
  config,
  resolve = createResolve(),
  timeoutMs = wholeRequestMs,
}: OutboundOptions): Outbound {
  const guard = createGuard({ allowedNetworks: outboundNetworks(config), resolve })
  const agents = { 'http:': new http.Agent(idle), 'https:': new https.Agent({ ...idle, ...trust(config) }) }
  const post = async (request: OutboundRequest): Promise<OutboundOutcome> => {
    const started = performance.now()
    // AbortSignal.timeout would keep each call's signal, and a timer, for as long as the limit.
    const expiry = new AbortController()
    const timer = setTimeout(() => expiry.abort(), timeoutMs)
    const deadline = expiry.signal
    const call = async () => {
      const target = await within(deadline, guard(request.url))
      const agent = agents[target.url.protocol as keyof typeof agents]
      return read(await send(request, target, agent, deadline))
    }
    const outcome = await call().catch((error: unknown) => unanswered(error, deadline))
    clearTimeout(timer)
    return { ...outcome, durationMs: Math.round(performance.now() - started) }
  }
  return {
    check: async (url) => void (await guard(url)),
    post,
    close: () => Object.values(agents).forEach((agent) => void agent.destroy()),
  }
}

function trust({ OUTBOUND_EXTRA_CA: file }: Config): https.AgentOptions {
  if (file === '') return {}
  return { secureContext: tls.createSecureContext({ ca: [...tls.rootCertificates, readFileSync(file, 'utf8')] }) }
}

/** Rejects with the deadline: a name server may be slower than it. */
function within<T>(deadline: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(deadline.reason)
    deadline.addEventListener('abort', expire, { once: true })
    work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', expire))
  })
}

/** Resolves with the head of the answer. A kept connection that the receiver closed meanwhile is tried once more. */
async function send(
  request: OutboundRequest,
  target: Target,
  agent: http.Agent,
  signal: AbortSignal,
  again = true,
): Promise<http.IncomingMessage> {
  const sent = (agent instanceof https.Agent ? https : http).request(target.url, {
    method: 'POST',
    agent,
    signal,
    headers: { ...request.headers, 'content-length': Buffer.byteLength(request.body) },
    maxHeaderSize: maxHeaderBytes,
    lookup: pinned(target.addresses),
    ...servername(target.url),
  })
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    // Stays for errors after the answer, which `read` sees as well.
    sent.on('error', reject)
  })
  sent.end(request.body)
  return answered.catch((error: unknown) => {
    if (!again || !sent.reusedSocket || failureOf(error) !== 'CONNECTION_RESET') throw error
    return send(request, target, agent, signal, false)
  })
}

/** Answers a look-up with the addresses that were checked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_hostname, options, callback) => {
    const [first] = all
    if (options.all) callback(null, all)
    else callback(null, first?.address ?? '', first?.family)
  }
}

const servername = ({ hostname }: URL): { servername?: string } =>
  isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { servername: hostname.replace(/\.$/, '') } : {}

/** The status decides, however the body ends; past the excerpt the connection is dropped. */
async function read(response: http.IncomingMessage): Promise<Omit<OutboundOutcome, 'durationMs'>> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, excerptBytes - size))
      size += chunk.length
      if (size > excerptBytes) break
    }
  } catch {
    // Cut short by the receiver or the deadline: what has come is kept.
  }
  const excerpt = Buffer.concat(chunks).toString('utf8').replaceAll('\0', '\ufffd')
  return {
    status: response.statusCode ?? null,
    error: null,
    retryAfter: response.headers['retry-after'] ?? null,
    excerpt,
  }
}

function unanswered(error: unknown, deadline: AbortSignal): Omit<OutboundOutcome, 'durationMs'> {
  const code = deadline.aborted ? 'TIMEOUT' : error instanceof OutboundRefused ? error.code : failureOf(error)
  return { status: null, error: code, retryAfter: null, excerpt: '' }
}

const tlsFailure =
  /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH|EPROTO)/
const failures: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: 'CONNECTION_REFUSED',
  ECONNRESET: 'CONNECTION_RESET',
  EPIPE: 'CONNECTION_RESET',
  EHOSTUNREACH: 'UNREACHABLE',
  ENETUNREACH: 'UNREACHABLE',
  EADDRNOTAVAIL: 'UNREACHABLE',
  EACCES: 'UNREACHABLE',
  ETIMEDOUT: 'TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
}

function failureOf(error: unknown): FailureCode {
  // Of several addresses that all failed, the first is told.
  const told: unknown = error instanceof AggregateError ? error.errors[0] : error
  const code = told instanceof Error && 'code' in told ? String(told.code) : ''
  return failures[code] ?? (tlsFailure.test(code) ? 'TLS_FAILED' : 'PROTOCOL_ERROR')
}
