import net from 'node:net'
import pg from 'pg'
import {
  answerTimeoutOf,
  type ConnectionOptions,
  connectionSettings,
  openSession,
  type Session,
  type TransactionOpening,
} from './database.ts'
import { sendQuery } from './send-query.ts'

/** A connection of its own, past any pooler and any pool: it may listen and hold locks of the session. */
export interface DirectConnection {
  begin(opening: TransactionOpening): Session
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly R[]>
  /** Hears a channel until the connection ends. */
  listen(channel: string, heard: (payload: string) => void): Promise<void>
  /** Resolves when the connection is gone, whoever ended it. */
  readonly ended: Promise<void>
  isEnded(): boolean
  /** Lets the process end while the connection is open. */
  unref(): void
  close(): Promise<void>
}

const connectTimeoutMs = 3_000
const farewellMs = 500

/** Connects, or throws. */
export async function connectDirectly(options: ConnectionOptions): Promise<DirectConnection> {
  const { config, log, applicationName } = options
  const socket = new net.Socket()
  const client = new pg.Client({
    ...connectionSettings(options),
    stream: () => socket,
    connectionString: config.DIRECT_DATABASE_URL || config.DATABASE_URL,
    connectionTimeoutMillis: connectTimeoutMs,
  })
  client.on('error', (error) => log.warn({ err: error }, `${applicationName}: database connection lost`))
  let isEnded = false
  const ended = new Promise<void>((resolve) =>
    client.once('end', () => {
      isEnded = true
      resolve()
    }),
  )
  await client.connect()
  const close = async (): Promise<void> => {
    client.end().catch(() => {})
    // Somebody who no longer answers does not say goodbye either.
    const timer = setTimeout(() => socket.destroy(), farewellMs)
    await ended
    clearTimeout(timer)
  }
  const release = (broken?: boolean): void => void (broken && close())
  const sessionClient = Object.assign(client, { release })
  const answerTimeoutMs = answerTimeoutOf(options.statementTimeoutMs)
  return {
    begin: (opening) => openSession(sessionClient, opening, answerTimeoutMs),
    query: async <R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await sendQuery<R>(client, { text, values: [...values] }, answerTimeoutMs)).rows,
    async listen(channel, heard) {
      client.on('notification', (message) => {
        if (message.channel === channel) heard(message.payload ?? '')
      })
      await sendQuery(client, { text: `listen ${client.escapeIdentifier(channel)}` }, answerTimeoutMs)
    },
    ended,
    isEnded: () => isEnded,
    unref: () => void socket.unref(),
    close,
  }
}
