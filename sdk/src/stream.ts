import type { Event } from './generated/types.ts'

/**
 * An event of a type that is newer than this package. Its type is declared in a form that no known one has, so that
 * comparing with a known one tells them apart.
 */
export interface UnknownEvent extends Omit<Event, 'type' | 'resource' | 'data'> {
  readonly type: `?${string}`
  readonly resource: { readonly type: string; readonly id: string; readonly version: number }
  readonly data: unknown
}

/** Options of a stream. */
export interface StreamOptions {
  /** Where to go on from: the `position` you saved. Without one the stream begins with the next event. */
  readonly after?: number | undefined
  /** Aborting is final. */
  readonly signal?: AbortSignal | undefined
  /** Longest silence before the connection counts as dead, in milliseconds; default 45,000, three heartbeats. */
  readonly idleTimeoutMs?: number | undefined
  /** Repetitions when the first connection fails; default 2. One that has been open is opened again for ever. */
  readonly maxRetries?: number | undefined
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  /** Hears when a connection that was open is lost, once however many tries it takes, and when events come again. */
  readonly onConnection?: ((change: ConnectionChange) => void) | undefined
}

/** Lost, with the error (undefined: the service ended it), or open again behind a position. */
export type ConnectionChange =
  | { readonly isOpen: false; readonly error: unknown }
  | { readonly isOpen: true; readonly position: number | undefined }

/** One block of a stream: an event, or with empty data just a position. */
export interface Block {
  readonly id: string | undefined
  readonly data: string
}

/**
 * Reads server-sent events (WHATWG HTML, section 9.2.6) from pieces of text that may end anywhere. What a broken
 * connection leaves unfinished is not an event.
 */
export class BlockParser {
  /** Milliseconds to wait before connecting again, if the service said so. */
  retryMs: number | undefined
  #rest = ''
  #endedInCarriageReturn = false
  #data = ''
  #id: string | undefined;

  *push(piece: string): Generator<Block, void, undefined> {
    const text = this.#endedInCarriageReturn && piece.startsWith('\n') ? piece.slice(1) : piece
    if (piece !== '') this.#endedInCarriageReturn = piece.endsWith('\r')
    const lines = (this.#rest + text).split(/\r\n|\r|\n/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') this.#readField(line)
      else {
        const data = this.#data.slice(0, -1)
        this.#data = ''
        if (data !== '' || this.#id !== undefined) yield { id: this.#id, data }
      }
    }
  }

  #readField(line: string): void {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'data') this.#data += `${value}\n`
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
  }
}

/** What a stream needs of the transport. */
export interface Connector {
  /** Connects after a position; throws the typed error of any answer but a stream. */
  connect(position: number | undefined): Promise<Response>
  /** The next piece of an answer, undefined at its end; throws after too long a silence. */
  read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined>
  /** Waits before connecting again; throws the error when that would be of no use. */
  pause(error: unknown, failures: number, retryMs: number | undefined): Promise<void>
  decode(data: string): unknown
}

/** Events as they happen, without a hole however often the connection breaks. It is read once. */
export class EventStream<T> implements AsyncIterable<T> {
  /** Everything up to here was seen: save it, and give it as `after` when your program starts again. */
  position: number | undefined
  readonly #connector: Connector

  /** @internal */
  constructor(position: number | undefined, connector: Connector) {
    this.position = position
    this.#connector = connector
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const connector = this.#connector
    for (let failures = 0; ; ) {
      const parser = new BlockParser()
      let failure: unknown
      let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
      try {
        const { status, body } = await connector.connect(this.position)
        if (status === 204 || !body) return
        reader = body.getReader()
        const decoder = new TextDecoder()
        for (;;) {
          const piece = await connector.read(reader)
          if (!piece) break
          failures = 0
          for (const { id, data } of parser.push(decoder.decode(piece, { stream: true }))) {
            const event = data === '' ? undefined : (connector.decode(data) as T)
            if (id) this.position = Number(id)
            if (event !== undefined) yield event
          }
        }
      } catch (error) {
        failure = error
        failures++
      } finally {
        reader?.cancel().catch(() => {})
      }
      await connector.pause(failure, failures, parser.retryMs)
    }
  }
}
