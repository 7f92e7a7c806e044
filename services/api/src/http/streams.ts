import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppError } from '#platform/problem.ts'
import type { Scope } from '#platform/scopes.ts'
import { presentedKey } from './authentication.ts'
import { EventStream } from './event-stream.ts'
import { liftLimit } from './handling-limit.ts'
import { Draining, TooManyStreams } from './problems.ts'

/** Every stream of server-sent events of this process. */
export interface Streams {
  /**
   * A place for one more stream of this credential, to be opened or given up.
   * @throws TooManyStreams, Draining
   */
  reserve(request: FastifyRequest, scope: Scope): StreamPlace
}

export interface StreamPlace {
  /** Answers with an open stream, whose reader has everything up to `position`. */
  open(reply: FastifyReply, position: number): EventStream
  giveUp(): void
}

/** Whom a stream serves. */
interface Holder {
  readonly presented: string
  readonly address: string
  readonly scope: Scope
}

const tickMs = 1_000

/** Keeps streams alive while their credential is valid, and ends them when the process stops. */
export function createStreams(app: FastifyInstance): Streams {
  const { config } = app.kernel
  const holders = new Map<EventStream, Holder>()
  const places = createPlaces(config)
  const limits = {
    heartbeatMs: config.STREAM_HEARTBEAT_MS,
    stallMs: config.STREAM_STALL_MS,
    maxBufferedBytes: config.STREAM_BUFFER_BYTES,
  }
  const timer = setInterval(() => {
    const now = performance.now()
    for (const stream of holders.keys()) stream.beat(now)
    endUnauthorized(app, holders).catch((error: unknown) => app.log.warn({ err: error }, 'streams were not checked'))
  }, tickMs)
  timer.unref()
  app.addHook('preClose', async () => {
    clearInterval(timer)
    for (const stream of holders.keys()) stream.end()
  })
  return {
    reserve(request, scope) {
      if (app.kernel.isDraining()) throw new Draining()
      const giveUp = places.take(request)
      return {
        giveUp,
        open(reply, position) {
          const stream = new EventStream(openResponse(reply), position, limits)
          holders.set(stream, { presented: presentedKey(request) ?? '', address: request.ip, scope })
          stream.whenClosed(() => {
            holders.delete(stream)
            giveUp()
          })
          return stream
        },
      }
    },
  }
}

/** Counts the streams of each key and each organization. */
function createPlaces(config: { readonly STREAMS_PER_KEY: number; readonly STREAMS_PER_ORGANIZATION: number }) {
  const taken = new Map<string, number>()
  const count = (name: string, change: number): void => {
    const next = (taken.get(name) ?? 0) + change
    if (next === 0) taken.delete(name)
    else taken.set(name, next)
  }
  return {
    /** Returns what gives the place up again. */
    take({ credential }: FastifyRequest): () => void {
      const [key, organization] = [String(credential?.actor.keyId), String(credential?.actor.organizationId)]
      if ((taken.get(key) ?? 0) >= config.STREAMS_PER_KEY) throw tooMany('API key', config.STREAMS_PER_KEY)
      if ((taken.get(organization) ?? 0) >= config.STREAMS_PER_ORGANIZATION)
        throw tooMany('organization', config.STREAMS_PER_ORGANIZATION)
      for (const name of [key, organization]) count(name, 1)
      let isTaken = true
      return () => {
        if (isTaken) for (const name of [key, organization]) count(name, -1)
        isTaken = false
      }
    },
  }
}

const tooMany = (whose: string, limit: number): AppError =>
  new TooManyStreams({ detail: `Each process serves ${limit} streams of one ${whose}`, retryAfterSeconds: 5 })

/** Takes the answer over from Fastify: what its hooks have set is kept, its time limit no longer applies. */
function openResponse(reply: FastifyReply) {
  const headers = reply.getHeaders() as Readonly<Record<string, string>>
  reply.hijack()
  liftLimit(reply.request, reply)
  reply.raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  // Node keeps the head for as long as the answer lasts: written by itself it is one string, else a tree of its pieces.
  reply.raw.flushHeaders()
  return reply.raw
}

/** Ends the streams whose key has expired, was revoked or lost the scope; looks each key up once. */
async function endUnauthorized(app: FastifyInstance, holders: ReadonlyMap<EventStream, Holder>): Promise<void> {
  const byKey = Map.groupBy(holders, ([, { presented, address, scope }]) => `${scope} ${address} ${presented}`)
  for (const group of byKey.values()) {
    const [first] = group
    if (first === undefined) continue
    const { presented, address, scope } = first[1]
    const credential = await app.kernel.authenticate(presented, address)
    if (!credential?.actor.scopes.has(scope)) for (const [stream] of group) stream.end()
  }
}
