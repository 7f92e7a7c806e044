import { createHash } from 'node:crypto'
import http from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { listening } from './listening.ts'

/** A receiver of webhooks that keeps of each event how often it came and what its bytes were, for long runs. */
export interface TallyingReceiver {
  readonly url: string
  /** In the order in which they came first. */
  readonly events: ReadonlyMap<string, Tally>
  /** Ids of the resources of these. */
  readonly resources: ReadonlySet<string>
  /** Requests that were answered or are being answered. */
  readonly requests: number
  /** Events that came with other bytes than the first time. */
  readonly different: readonly string[]
}

export interface Tally {
  count: number
  readonly sequence: number
  readonly type: string
  readonly resourceId: string
  readonly digest: string
}

/** Answers with 204 after a pause of at most this long. */
export async function tallyingReceiver(t: Test, pauseMs: number, random: () => number): Promise<TallyingReceiver> {
  const events = new Map<string, Tally>()
  const resources = new Set<string>()
  const different: string[] = []
  let requests = 0
  const take = (id: string, body: Buffer): void => {
    requests++
    const digest = createHash('sha256').update(body).digest('base64')
    const known = events.get(id)
    if (known === undefined) {
      const { sequence, type, resource } = JSON.parse(body.toString('utf8'))
      resources.add(resource.id)
      events.set(id, { count: 1, sequence, type, resourceId: resource.id, digest })
      return
    }
    known.count++
    if (known.digest !== digest) different.push(id)
  }
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // The sender was killed before it had sent all.
    }
    take(String(request.headers['webhook-id']), Buffer.concat(chunks))
    if (pauseMs > 0) await delay(random() * pauseMs)
    response.writeHead(204).end()
  })
  const port = await listening(t, server)
  return {
    url: `http://127.0.0.1:${port}/hook`,
    events,
    resources,
    get requests() {
      return requests
    },
    different,
  }
}
