import { once } from 'node:events'
import net from 'node:net'

/** One keep-alive connection; one request at a time. */
export interface Connection {
  /** Sends a request and resolves with the status once the whole answer has come. */
  request(text: string): Promise<number>
  close(): void
}

const timeoutMs = 10_000
const headEnd = Buffer.from('\r\n\r\n')

interface Waiting {
  readonly resolve: (status: number) => void
  readonly reject: (error: Error) => void
}

/** Knows as much HTTP as the answers of a service on loopback need: Content-Length, no chunks. */
export async function connect(url: URL): Promise<Connection> {
  const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true })
  await once(socket, 'connect')
  let received: Buffer[] = []
  let missing = -1
  let status = 0
  let waiting: Waiting | undefined
  const fail = (error: Error): void => {
    waiting?.reject(error)
    waiting = undefined
    socket.destroy()
  }
  const readHead = (): boolean => {
    const bytes = received.length === 1 ? (received[0] as Buffer) : Buffer.concat(received)
    const end = bytes.indexOf(headEnd)
    received = [bytes]
    if (end === -1) return false
    const head = bytes.toString('latin1', 0, end).toLowerCase()
    const length = /\r\ncontent-length: *(\d+)/.exec(head)
    if (length === null) fail(new Error('an answer without Content-Length'))
    status = Number(head.slice(9, 12))
    missing = end + headEnd.length + Number(length?.[1]) - bytes.length
    return true
  }
  socket.on('data', (chunk) => {
    if (missing === -1) {
      received.push(chunk)
      if (!readHead()) return
    } else missing -= chunk.length
    if (missing > 0) return
    received = []
    missing = -1
    const { resolve } = waiting ?? {}
    waiting = undefined
    resolve?.(status)
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection was closed')))
  socket.setTimeout(timeoutMs, () => {
    if (waiting !== undefined) fail(new Error('no answer in time'))
  })
  return {
    request: (text) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the connection was closed'))
        waiting = { resolve, reject }
        socket.write(text)
      }),
    close: () => socket.destroy(),
  }
}
