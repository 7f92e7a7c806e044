import type { ServerResponse } from 'node:http'

export interface StreamLimits {
  /** Longest silence, in milliseconds. */
  readonly heartbeatMs: number
  /** How long a reader may take nothing of what waits for it. */
  readonly stallMs: number
  /** Waiting bytes from which on nothing is added before they are taken. */
  readonly maxBufferedBytes: number
}

const farewellMs = 2_000
/** Readers come back spread over this time, not all at once. */
const [retryMs, retrySpreadMs] = [500, 2_000]
const retry = (): string => `retry: ${retryMs + Math.floor(Math.random() * retrySpreadMs)}\n`

/** One open answer of server-sent events (WHATWG HTML, section 9.2), whose ids are positions of a sequence. */
export class EventStream {
  /** Everything up to here was sent, or is not for this reader. */
  position: number
  #told: number
  #writtenAt = performance.now()
  #written = 0
  #taken = 0
  #takenAt = 0
  readonly #response: ServerResponse
  readonly #limits: StreamLimits

  constructor(response: ServerResponse, position: number, limits: StreamLimits) {
    this.#response = response
    this.#limits = limits
    this.position = position
    this.#told = position
    this.#write(`${retry()}id: ${position}\n\n`)
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded
  }

  /** Whether as much waits for the reader as may. */
  get isFull(): boolean {
    return this.#response.writableLength > this.#limits.maxBufferedBytes
  }

  /** Sends a frame that ends at `position`. */
  send(frame: Buffer, position: number): void {
    if (!this.isOpen) return
    this.position = position
    this.#told = position
    this.#write(frame)
  }

  /** Resolves when the reader has room for more, or is gone. */
  async drained(): Promise<void> {
    if (!this.isOpen || !this.#response.writableNeedDrain) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done).off('close', done)
        resolve()
      }
      this.#response.on('drain', done).on('close', done)
    })
  }

  /** Ends a silence that gets too long, telling the position; closes the connection of a reader that takes nothing. */
  beat(now: number): void {
    const { heartbeatMs, stallMs } = this.#limits
    const waiting = this.#response.writableLength
    const taken = this.#written - waiting
    if (waiting === 0 || taken > this.#taken) this.#takenAt = now
    else if (now - this.#takenAt > stallMs) this.#response.destroy()
    this.#taken = taken
    if (!this.isOpen || now - this.#writtenAt < heartbeatMs) return
    // An id without data moves on where the reader would resume, and is no event.
    this.#write(this.#told === this.position ? ':\n\n' : `id: ${this.position}\n\n`)
    this.#told = this.position
  }

  /** Says goodbye: the reader is to come back, here or at another process. */
  end(): void {
    if (!this.isOpen) return
    this.#response.end(`${retry()}id: ${this.position}\n: goodbye\n\n`)
    setTimeout(() => this.#response.destroy(), farewellMs).unref()
  }

  whenClosed(done: () => void): void {
    if (this.#response.destroyed) done()
    else this.#response.on('close', done)
  }

  #write(text: string | Buffer): void {
    this.#writtenAt = performance.now()
    this.#written += text.length
    this.#response.write(text)
  }
}
