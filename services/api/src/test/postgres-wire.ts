import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A way to PostgreSQL that can fail as networks do. */
export interface PostgresWire {
  /** Of the same database, along this way. */
  readonly url: string
  /** Passes nothing on any more, in either direction, and says nothing about it. */
  freeze(): void
  /** Ends what is open; with `forGood` nobody gets in any more until it is mended. */
  cut(forGood?: boolean): void
  mend(): void
}

export async function postgresWire(t: Test, databaseUrl: string): Promise<PostgresWire> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let [isFrozen, isCut] = [false, false]
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => [client, upstream].map((other) => other.destroy()))
    }
    if (isCut) client.destroy()
    client.on('data', (data) => isFrozen || upstream.write(data))
    upstream.on('data', (data) => isFrozen || client.write(data))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (forGood = false): void => {
    isCut = forGood
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  t.teardown(() => {
    cut(true)
    server.close()
  })
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    freeze() {
      isFrozen = true
    },
    cut,
    mend() {
      isFrozen = isCut = false
    },
  }
}
