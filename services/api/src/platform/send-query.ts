import type { Socket } from 'node:net'
import type pg from 'pg'

type Sender = Pick<pg.ClientBase, 'query'>

/**
 * Sends a statement and awaits its answer; the connection of one that gets none in time is cut. pg has promises and a
 * `query_timeout` of its own, but assigns the closures of both to a property: V8 takes those for methods that stay, and
 * each would keep its rows and all that waits for them until the next full garbage collection.
 */
export function sendQuery<R extends pg.QueryResultRow>(
  client: Sender,
  query: pg.QueryConfig,
  answerTimeoutMs: number,
): Promise<pg.QueryResult<R>> {
  const stream = streamOf(client)
  gatherWrites(stream)
  return new Promise<pg.QueryResult<R>>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('Query read timeout'))
      stream.destroy()
    }, answerTimeoutMs)
    client.query<R>(query, (error, result) => {
      clearTimeout(timer)
      // Null, whatever the types say.
      if (error as Error | null) reject(error)
      else resolve(result)
    })
  }).catch((error: Error) => {
    // From here on, who asked is in the stack.
    Error.captureStackTrace(error)
    throw error
  })
}

/** What is sent until the code that is running now has come to wait leaves in one packet, by one system call. */
function gatherWrites(stream: Socket): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}

const streamOf = (client: Sender): Socket => (client as unknown as { connection: { stream: Socket } }).connection.stream
