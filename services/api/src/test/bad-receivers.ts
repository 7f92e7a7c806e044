import { readFileSync } from 'node:fs'
import http from 'node:http'
import net, { type Socket } from 'node:net'
import tls from 'node:tls'

/**
 * Receivers that misbehave, one port for each way, in a process of their own: what they cost burdens nobody whose speed
 * is measured. Arguments: the address inside that redirects name, and the files of a key and a certificate.
 */
const [inside = '', keyFile = '', certificateFile = ''] = process.argv.slice(2)

const head = 'HTTP/1.1 200 OK\r\n'
const lateMs = 12_000
const dripMs = 200

/** What each does with a connection. */
const ways: Readonly<Record<string, (socket: Socket) => void>> = {
  resets: (socket) => void socket.resetAndDestroy(),
  resetsWhenAsked: onRequest((socket) => void socket.resetAndDestroy()),
  resetsInTheMidst: onRequest((socket) => {
    socket.write(`${head}content-length: 500\r\n\r\nhalf`)
    setTimeout(() => socket.resetAndDestroy(), 50)
  }),
  hangsUp: onRequest((socket) => void socket.end()),
  redirectsInside: onRequest((socket) =>
    socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: ${inside}\r\ncontent-length: 0\r\n\r\n`),
  ),
  neverAnswers: () => {},
  answersLate: onRequest((socket) => void setTimeout(() => socket.end(`${head}content-length: 0\r\n\r\n`), lateMs)),
  dripsHeaders: onRequest((socket) => drip(socket, `${head}x-drip: `)),
  dripsBody: onRequest((socket) => drip(socket, `${head}content-length: 1000000\r\n\r\n`)),
  floodsHeaders: onRequest((socket) => flood(socket, `${head}x-flood: `)),
  floodsBody: onRequest((socket) => flood(socket, `${head}\r\n`)),
  fails: onRequest((socket) => socket.end('HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n')),
  speaksNoHttp: onRequest((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n\u0000\u0001\u0002')),
  speaksNoTls: onRequest((socket) => socket.end(`${head}content-length: 0\r\n\r\n`)),
}

function onRequest(answer: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => void socket.once('data', () => answer(socket))
}

function drip(socket: Socket, start: string): void {
  socket.write(start)
  const timer = setInterval(() => socket.write('.'), dripMs)
  socket.once('close', () => clearInterval(timer))
}

function flood(socket: Socket, start: string): void {
  socket.write(start)
  const write = (): void => {
    while (!socket.destroyed && socket.write('x'.repeat(65_536)));
    if (!socket.destroyed) socket.once('drain', write)
  }
  write()
}

const open = new Set<Socket>()

function keep(socket: Socket): Socket {
  open.add(socket)
  return socket.on('error', () => {}).once('close', () => open.delete(socket))
}

const servers: readonly (readonly [string, net.Server])[] = [
  // Where those who misbehave are moved to while they are to behave.
  [
    'behaves',
    http.createServer((request, response) => void request.resume().once('end', () => response.writeHead(204).end())),
  ],
  ...Object.entries(ways).map(([name, behave]) => [name, net.createServer((socket) => behave(keep(socket)))] as const),
  // Of its own making: nobody vouches for it.
  [
    'presentsBadCertificate',
    tls
      .createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) })
      .on('connection', keep)
      .on('tlsClientError', () => {}),
  ],
]

process.on('message', () => {
  for (const socket of open) socket.destroy()
})
process.on('disconnect', () => process.exit())

const ports = servers.map(async ([name, server]) => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return [name, (server.address() as net.AddressInfo).port] as const
})
process.send?.(Object.fromEntries(await Promise.all(ports)))
