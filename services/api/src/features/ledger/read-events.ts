import type { SequencePage } from '#platform/page.ts'
import type { AppError, FieldIssue } from '#platform/problem.ts'
import { ReadyJson } from '#platform/ready-json.ts'
import type { View } from '#platform/work.ts'
import { filterOf } from './filter.ts'
import { eventJson } from './present.ts'
import { CursorExpired, EventNotFound, PositionAhead } from './problems.ts'
import { type Heads, selectEvent, selectEvents, selectHeads } from './repository.ts'
import type { EventQuery } from './schemas.ts'

export interface ListEvents extends EventQuery {
  /** Position to go on from; without one, the oldest event that is kept comes first. */
  readonly after?: number
  readonly limit: number
}

/** A page of the sequence. A page that is not full ends at the head, whatever the filter left out before it. */
export async function listEvents(view: View, query: ListEvents): Promise<SequencePage<ReadyJson>> {
  const { after, limit } = query
  const { events, ...heads } = await selectEvents(view, after ?? 0, limit + 1, filterOf(query, view.actor))
  if (after !== undefined) checkPosition(after, heads)
  const kept = events.slice(0, limit)
  const hasMore = events.length > limit
  const last = kept.at(-1)?.sequence
  return {
    items: kept.map((event) => new ReadyJson(eventJson(event))),
    next: hasMore && last !== undefined ? last : Math.max(heads.head, after ?? 0),
    hasMore,
  }
}

export async function getEvent(view: View, eventId: string): Promise<ReadyJson> {
  const event = await selectEvent(view, eventId, view.actor.sources)
  if (event === undefined) throw new EventNotFound()
  return new ReadyJson(eventJson(event))
}

/** Where a stream begins: after the position it names, else after what there is now. */
export async function startOfStream(view: View, after: number | undefined): Promise<number> {
  const heads = await selectHeads(view)
  if (after === undefined) return heads.head
  checkPosition(after, heads)
  return after
}

/** @throws CursorExpired, PositionAhead: going on from there would leave out events and not say so. */
function checkPosition(after: number, { head, floor }: Heads): void {
  if (after < floor) throw expired(floor)
  if (after > head) throw new PositionAhead({ detail: `The newest event has the position ${head}` })
}

function expired(floor: number): AppError {
  const message = `the oldest position that can be read from is ${floor}`
  const issue: FieldIssue = {
    field: 'after',
    pointer: '/after',
    code: 'CURSOR_EXPIRED',
    message,
    suggestion: String(floor),
  }
  return new CursorExpired({ detail: `Events up to ${floor} are no longer kept: ${message}`, errors: [issue] })
}
