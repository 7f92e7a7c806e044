import type { FastifyInstance } from 'fastify'
import { query } from '#http/query.ts'
import { describeEventTypes } from './describe.ts'
import { EventTypeDescriptions } from './schemas.ts'

export function eventTypeRoutes(app: FastifyInstance): void {
  app.route(
    query({
      id: 'events.types',
      summary: 'List the types of event',
      description: 'Every type with what it tells, its JSON Schema and a sample that is valid.',
      url: '/v1/event-types',
      scope: 'events:read',
      returns: EventTypeDescriptions,
      problems: [],
      handle: () => describeEventTypes(),
    }),
  )
}
