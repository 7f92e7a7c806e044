import { awaitedAtCommit, type Transaction } from '../database.ts'
import type { DirectConnection } from '../direct-connection.ts'
import type { Logger } from '../logger.ts'
import { eventsChannel } from './channels.ts'
import type { FanOut, NumberedEvent, Write, Written } from './fan-out.ts'
import { numberRows } from './numbering.ts'
import { orderVersions, type Reach } from './order.ts'
import { type FoundRow, type FreshRow, type Head, lockState, notify, readHeads, writeEvents } from './rows.ts'

export interface BatchOptions {
  readonly connection: DirectConnection
  readonly fanOuts: readonly FanOut[]
  readonly log: Logger
  /** Which rows come next, in order; those that have an event are skipped. */
  read(db: Transaction): Promise<readonly FoundRow[]>
  /** Where the version before one of them may lie. */
  readonly reach: Reach
  /** Organizations that are likely to come: what they need is read along with the rows, which saves a trip. */
  readonly expected: readonly string[]
  /** What commits with the events of the rows that were read. */
  finish?(db: Transaction, last: FoundRow): Promise<unknown>
}

/** Numbers the next rows in one transaction and tells everybody; returns all that it read. */
export async function relayBatch(options: BatchOptions): Promise<readonly FoundRow[]> {
  const session = options.connection.begin({ role: 'relay' })
  const { db } = session
  try {
    const [, rows, early] = await Promise.all([
      lockState(db),
      options.read(db),
      readContext(options, db, options.expected),
    ])
    const fresh = rows.filter((row): row is FreshRow => !row.numbered)
    const { events, pending, fannedOut } = fresh.length === 0 ? nothing : await numberFresh(options, db, fresh, early)
    const last = rows.at(-1)
    await session.commit([...pending, ...(last && options.finish ? [options.finish(db, last)] : [])])
    for (const { committed } of fannedOut) committed?.()
    for (const event of events) options.log.info(describe(event), event.type)
    return rows
  } catch (error) {
    await session.rollback(error)
    throw error
  }
}

interface Numbered {
  readonly events: readonly NumberedEvent[]
  /** Writes that COMMIT is sent behind. */
  readonly pending: readonly Promise<unknown>[]
  readonly fannedOut: readonly Written[]
}

const nothing: Numbered = { events: [], pending: [], fannedOut: [] }

/** What numbering needs to know of some organizations. */
interface Context {
  readonly organizationIds: ReadonlySet<string>
  readonly heads: readonly Head[]
  readonly writes: readonly Write[]
}

async function readContext(
  { fanOuts }: BatchOptions,
  db: Transaction,
  organizationIds: readonly string[],
): Promise<Context> {
  if (organizationIds.length === 0) return { organizationIds: new Set(), heads: [], writes: [] }
  const [heads, ...writes] = await Promise.all([
    readHeads(db, organizationIds),
    ...fanOuts.map((fanOut) => fanOut.join(db, organizationIds)),
  ])
  return { organizationIds: new Set(organizationIds), heads, writes }
}

/** Who the rows without an event belong to. */
export const organizationsOf = (rows: readonly FoundRow[]): readonly string[] => [
  ...new Set(rows.flatMap((row) => (row.numbered ? [] : [row.organization_id]))),
]

async function numberFresh(
  options: BatchOptions,
  db: Transaction,
  fresh: readonly FreshRow[],
  early: Context,
): Promise<Numbered> {
  const unexpected = organizationsOf(fresh).filter((id) => !early.organizationIds.has(id))
  const [rows, late] = await Promise.all([
    orderVersions(db, fresh, options.reach),
    readContext(options, db, unexpected),
  ])
  const numbered = numberRows(rows, [...early.heads, ...late.heads])
  const events = numbered.links.map(({ event }) => event)
  const fannedOut = [early, late].flatMap((context) => fanOutTo(context, events))
  const pending = [
    ...fannedOut.flatMap(({ statements }) => statements.map(awaitedAtCommit)),
    awaitedAtCommit(writeEvents(db, numbered.links, numbered.heads)),
    ...announcements(numbered.heads).map((text) => awaitedAtCommit(notify(db, eventsChannel, text))),
  ]
  return { events, pending, fannedOut }
}

/** Each fan-out hears of the events of the organizations it was asked for, and of no others. */
function fanOutTo({ organizationIds, writes }: Context, events: readonly NumberedEvent[]): readonly Written[] {
  const own = events.filter(({ organizationId }) => organizationIds.has(organizationId))
  return own.length === 0 ? [] : writes.map((write) => write(own))
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
