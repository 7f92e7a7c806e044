import type { Transaction } from '../database.ts'
import type { DirectConnection } from '../direct-connection.ts'
import type { Logger } from '../logger.ts'
import type { FanOut, NumberedEvent } from './fan-out.ts'
import { numberRows } from './numbering.ts'
import { type Head, type LedgerRow, lockState, movePosition, notify, readHeads, writeEvents } from './rows.ts'

/** Rows per transaction: enough to share its cost, few enough to be there soon. */
export const batchSize = 500

/** The channel that tells newest sequences by organization: `{"org_…":7}`. */
export const eventsChannel = 'purser_events'

export interface BatchOptions {
  readonly connection: DirectConnection
  readonly fanOuts: readonly FanOut[]
  readonly log: Logger
  /** Which rows come next, in order; those that have an event are skipped. */
  read(db: Transaction): Promise<readonly LedgerRow[]>
  /** True when the relay's position moves behind what was read. */
  readonly moves: boolean
}

/** Numbers the next rows in one transaction and tells everybody; returns the rows it read. */
export async function relayBatch(options: BatchOptions): Promise<readonly LedgerRow[]> {
  const session = options.connection.begin({ role: 'relay' })
  const { db } = session
  try {
    const [, rows] = await Promise.all([lockState(db), options.read(db)])
    const fresh = rows.filter(({ numbered }) => !numbered)
    const events = fresh.length === 0 ? [] : await numberFresh(options, db, fresh)
    const last = options.moves ? rows.at(-1) : undefined
    await session.commit(last === undefined ? [] : [movePosition(db, last)])
    for (const event of events) options.log.info(describe(event), event.type)
    return rows
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

async function numberFresh({ fanOuts }: BatchOptions, db: Transaction, fresh: readonly LedgerRow[]) {
  const heads = await readHeads(db, [...new Set(fresh.map((row) => row.organization_id))])
  const numbered = numberRows(fresh, heads)
  const written = writeEvents(db, numbered.links, numbered.heads)
  // Waited for below; a fan-out may fail first.
  written.catch(() => {})
  const events = numbered.links.map(({ event }) => event)
  for (const fanOut of fanOuts) await fanOut.run(db, events)
  await Promise.all([written, ...announcements(numbered.heads).map((text) => notify(db, eventsChannel, text))])
  return events
}

/** A notification holds less than 8,000 bytes. */
const headsPerNotification = 100

function announcements(heads: readonly Head[]): readonly string[] {
  const texts: string[] = []
  for (let start = 0; start < heads.length; start += headsPerNotification) {
    const part = heads.slice(start, start + headsPerNotification)
    texts.push(JSON.stringify(Object.fromEntries(part.map((head) => [head.organizationId, head.sequence]))))
  }
  return texts
}

const describe = (event: NumberedEvent): object => ({
  'event.type': event.type,
  'event.id': event.id,
  'event.sequence': event.sequence,
  'resource.type': event.resource.type,
  'resource.id': event.resource.id,
  organizationId: event.organizationId,
  requestId: event.requestId,
})
