import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const readyTimeoutMs = 30_000

/** Refuses a port that cannot be listened on, before anything else is started for nothing. */
export function checkPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') reject(new Error(`port ${port} of ${host} is in use: stop its owner, or set PORT`))
      else if (code === 'EACCES') reject(new Error(`this user may not listen on port ${port}: set PORT`))
      else reject(new Error(`cannot listen on ${host}:${port} (${message}): set HOST`))
    })
    server.listen(port, host, () => server.close(() => resolve()))
  })
}

/** Refuses a database that does not answer; names its host, never its password. */
export async function checkDatabase(url: string): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select')
  } catch (cause) {
    const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
    const reason = first instanceof Error ? first.message : String(first)
    throw new Error(`cannot use the database ${hostname}:${port || 5432}${pathname}: ${reason}`, { cause })
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Waits until the server at `url` answers that it is ready. */
export async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  let last = 'no answer'
  for (const deadline = Date.now() + readyTimeoutMs; Date.now() < deadline; await sleep(20, undefined, { signal })) {
    try {
      const response = await fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(2_000) })
      last = await response.text()
      if (response.ok) return
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
  }
  throw new Error(`the server is not ready after ${readyTimeoutMs / 1_000} s: ${last.slice(0, 300)}`)
}
