import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const patienceMs = 20_000

/**
 * Writes these bytes as they are and collects what comes back until the service closes the connection. With `end` the
 * client closes its side behind the bytes.
 */
export async function exchange(port: number, bytes: string | Buffer, end: boolean): Promise<readonly RawAnswer[]> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
  // The service may reset a connection whose bytes it does not want to read.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  if (end) socket.end()
  const abort = new AbortController()
  const outcome = await Promise.race([closed.then(() => 'closed'), delay(patienceMs, 'open', { signal: abort.signal })])
  abort.abort()
  socket.destroy()
  if (outcome === 'open')
    throw new Error(`the connection stayed open after ${Buffer.concat(chunks).toString('latin1')}`)
  return answersIn(Buffer.concat(chunks).toString('utf8'))
}

/** Splits what came back into answers; interim ones (1xx) are left out. */
function answersIn(received: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = received; rest !== ''; ) {
    const [head = '', ...parts] = rest.split('\r\n\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
    const fields = head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(/: ?/, 2))
    const headers = Object.fromEntries(fields.map(([name = '', value = '']) => [name.toLowerCase(), value]))
    const after = parts.join('\r\n\r\n')
    const length = Number(headers['content-length'] ?? 0)
    const text = Buffer.from(after).subarray(0, length).toString()
    if (status >= 200 || status === 0) answers.push({ status, headers, text })
    rest = Buffer.from(after).subarray(length).toString()
  }
  return answers
}
