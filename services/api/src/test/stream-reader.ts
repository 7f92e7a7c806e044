import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Test } from 'tap'

export interface StreamedEvent {
  readonly id: string
  readonly type: string
  readonly data: string
}

/** A reader of server-sent events that hides nothing: what came, as it came. */
export interface FollowedStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly events: readonly StreamedEvent[]
  readonly text: () => string
  readonly ended: () => boolean
  /** Stops reading: from now on what comes waits in buffers. */
  readonly pause: () => void
  readonly resume: () => void
  readonly close: () => void
}

/** Opens a stream; it is closed when `t` ends. */
export async function followStream(
  t: Test,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<FollowedStream> {
  const request = get(url, { headers, agent: false })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  const state = { text: '', rest: '', ended: false }
  const events: StreamedEvent[] = []
  response.setEncoding('utf8').on('data', (piece: string) => {
    state.text += piece
    const blocks = (state.rest + piece).split('\n\n')
    state.rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, id, type, data] = /^id: (\d+)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? []
      if (id !== undefined && type !== undefined && data !== undefined) events.push({ id, type, data })
    }
  })
  const end = (): void => {
    state.ended = true
  }
  response.on('end', end).on('close', end).on('error', end)
  request.on('error', end)
  t.teardown(() => request.destroy())
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    text: () => state.text,
    ended: () => state.ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void request.destroy(),
  }
}
