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

export async function connect(url: URL): Promise<Connection> {
  const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true })
  await once(socket, 'connect')
  let waiting: Waiting | undefined
  const fail = (error: Error): void => {
    waiting?.reject(error)
    waiting = undefined
    socket.destroy()
  }
  const answered = (status: number): void => {
    const { resolve } = waiting ?? {}
    waiting = undefined
    resolve?.(status)
  }
  socket.on('data', createReader(answered, fail))
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

/** Knows as much HTTP as the answers of a service on loopback need: Content-Length, no chunks. */
function createReader(answered: (status: number) => void, fail: (error: Error) => void): (chunk: Buffer) => void {
  let head: Buffer = Buffer.alloc(0)
  let missing = 0
  let status = 0
  const readHead = (chunk: Buffer): boolean => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const end = head.indexOf(headEnd)
    if (end === -1) return false
    const text = head.toString('latin1', 0, end).toLowerCase()
    const length = /\r\ncontent-length: *(\d+)/.exec(text)
    if (length === null) fail(new Error('an answer without Content-Length'))
    status = Number(text.slice(9, 12))
    missing = end + headEnd.length + Number(length?.[1]) - head.length
    head = Buffer.alloc(0)
    return true
  }
  return (chunk) => {
    if (missing > 0) missing -= chunk.length
    else if (!readHead(chunk)) return
    if (missing === 0) answered(status)
  }
}
