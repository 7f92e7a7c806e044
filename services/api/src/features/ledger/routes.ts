import type { FastifyInstance } from 'fastify'
import { query } from '#http/query.ts'
import { sequence } from '#http/sequence.ts'
import { stream } from '#http/stream.ts'
import { createStreams } from '#http/streams.ts'
import type { Feeds } from './feeds.ts'
import { filterOf } from './filter.ts'
import { CursorExpired, EventNotFound, PositionAhead } from './problems.ts'
import { getEvent, listEvents, startOfStream } from './read-events.ts'
import { Event, EventParams, eventFilter } from './schemas.ts'

export function eventRoutes(app: FastifyInstance, feeds: Feeds): void {
  app.route(
    sequence({
      id: 'events.list',
      summary: 'List events, oldest first',
      description:
        'Every change, in one sequence without gaps. `nextCursor` is where to go on from, at the end as well: ask again with it for what has happened since.',
      url: '/v1/events',
      scope: 'events:read',
      filter: eventFilter,
      item: Event,
      problems: [CursorExpired, PositionAhead],
      handle: listEvents,
    }),
  )
  app.route(
    query({
      id: 'events.get',
      summary: 'Read an event',
      url: '/v1/events/:eventId',
      scope: 'events:read',
      params: EventParams,
      returns: Event,
      problems: [EventNotFound],
      handle: (view, { params }) => getEvent(view, params.eventId),
    }),
  )
  app.route(
    stream(createStreams(app), {
      id: 'events.stream',
      summary: 'Follow events as they happen',
      description:
        'Server-sent events: `id` is the sequence, `event` the type, `data` the event, the same bytes as in the list. Without a position it begins with the next event. A comment comes at least every 15 seconds; an `id` without data moves on the position of a filtered stream. Come back after it has ended, with the last `id` as Last-Event-ID.',
      url: '/v1/events/stream',
      scope: 'events:read',
      filter: eventFilter,
      item: Event,
      problems: [CursorExpired, PositionAhead],
      handle: startOfStream,
      follow: (reader, actor, filter) => feeds.follow(actor.organizationId, reader, filterOf(filter, actor)),
    }),
  )
}
