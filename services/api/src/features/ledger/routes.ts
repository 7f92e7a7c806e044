import type { FastifyInstance } from 'fastify'
import { query } from '#http/query.ts'
import { sequence } from '#http/sequence.ts'
import { CursorExpired, EventNotFound, PositionAhead } from './problems.ts'
import { getEvent, listEvents } from './read-events.ts'
import { Event, EventParams, eventFilter } from './schemas.ts'

export function eventRoutes(app: FastifyInstance): void {
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
}
