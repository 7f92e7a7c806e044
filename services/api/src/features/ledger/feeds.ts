import { newId } from '#platform/id.ts'
import type { Logger } from '#platform/logger.ts'
import { createTurns } from '#platform/turns.ts'
import { systemOrigin, type UnitOfWork, type View } from '#platform/work.ts'
import { Feed, type Follower, frameOf, type StreamReader } from './feed.ts'
import { type EventFilter, everything } from './filter.ts'
import { type EventBatch, selectEvents, selectHeads } from './repository.ts'

/** Tells how far the sequence of an organization has come; returns what ends that. */
export interface HeadSignal {
  subscribe(organizationId: string, onHead: (head: number) => void): () => void
}

export interface FeedDependencies {
  readonly unitOfWork: Pick<UnitOfWork, 'read'>
  readonly eventSignal: HeadSignal
  readonly log: Logger
}

export interface Feeds {
  /** Sends the reader what it may see after its position, then whatever comes, until it is closed. */
  follow(organizationId: string, reader: StreamReader, filter: EventFilter): void
}

/** An organization somebody reads here. */
interface LiveOrganization {
  readonly feed: Promise<Feed>
  readonly unsubscribe: () => void
  readers: number
}

const batchSize = 100
/** Readers that catch up share a part of the connections: those who wait for an answer go first. */
const mostCatchingUp = 3

/** One feed per organization that has readers in this process, whatever their number. */
export function createFeeds({ unitOfWork, eventSignal, log }: FeedDependencies): Feeds {
  const live = new Map<string, LiveOrganization>()
  const inTurn = createTurns(mostCatchingUp)
  const read = <T>(organizationId: string, run: (view: View) => Promise<T>): Promise<T> => {
    const origin = { organizationId, name: 'stream', requestId: newId('req'), traceparent: null, log }
    return unitOfWork.read(systemOrigin(origin), run)
  }
  const readAfter = (organizationId: string, position: number, filter: EventFilter): Promise<EventBatch> =>
    read(organizationId, (view) => selectEvents(view, position, batchSize, filter))

  const startFeed = (organizationId: string): LiveOrganization => {
    let advance: (head: number) => void = () => {}
    const unsubscribe = eventSignal.subscribe(organizationId, (head) => advance(head))
    // The head is read after subscribing: what comes in between is told twice rather than not at all.
    const feed = read(organizationId, selectHeads).then(({ head }) => {
      const made = new Feed(head, (position) => readAfter(organizationId, position, everything), {
        failed: (error) => log.warn({ err: error, organizationId }, 'a stream waits for the database'),
        lagging: (follower) => bring(organizationId, follower, feed),
      })
      advance = (to) => made.advance(to)
      return made
    })
    return { feed, unsubscribe, readers: 0 }
  }

  const enter = (organizationId: string): LiveOrganization => {
    const entered = live.get(organizationId) ?? startFeed(organizationId)
    live.set(organizationId, entered)
    entered.readers++
    return entered
  }
  const leave = (organizationId: string, entered: LiveOrganization): void => {
    entered.readers--
    if (entered.readers > 0) return
    entered.unsubscribe()
    if (live.get(organizationId) === entered) live.delete(organizationId)
  }

  /** Brings a follower to the feed; when that fails, it may come back. */
  const bring = (organizationId: string, follower: Follower, feed: Promise<Feed>): void => {
    const { reader, filter } = follower
    const readMore = () => inTurn(() => readAfter(organizationId, reader.position, filter))
    join(feed, follower, readMore).catch((error: unknown) => {
      log.warn({ err: error, organizationId }, 'a stream could not catch up')
      reader.end()
    })
  }

  return {
    follow(organizationId, reader, filter) {
      const entered = enter(organizationId)
      const follower: Follower = { reader, filter }
      reader.whenClosed(() => {
        leave(organizationId, entered)
        entered.feed.then(({ followers }) => followers.delete(follower)).catch(() => {})
      })
      // A feed that could not start serves nobody: the next reader starts another one.
      entered.feed.catch(() => live.get(organizationId) === entered && live.delete(organizationId))
      bring(organizationId, follower, entered.feed)
    },
  }
}

/** Brings a reader to where the feed is, from the database, and lets it go on from there. */
async function join(feed: Promise<Feed>, follower: Follower, readMore: () => Promise<EventBatch>): Promise<void> {
  const { reader } = follower
  const joined = await feed
  await reader.drained()
  while (reader.isOpen && reader.position < joined.position) {
    const { events, head, floor } = await readMore()
    if (reader.position < floor) return reader.end()
    for (const event of events) {
      reader.send(frameOf(event), event.sequence)
      await reader.drained()
    }
    if (events.length < batchSize) reader.position = Math.max(reader.position, head)
  }
  // Nothing is awaited between looking at the position and joining, so nothing can come in between.
  if (reader.isOpen) joined.followers.add(follower)
}
