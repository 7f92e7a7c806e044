import { defineProblem } from '#platform/problem.ts'

export const EventNotFound = defineProblem({ status: 404, code: 'EVENT_NOT_FOUND', title: 'There is no such event' })

export const CursorExpired = defineProblem({
  status: 410,
  code: 'CURSOR_EXPIRED',
  title: 'Events after this position are no longer kept',
  advice:
    'The suggestion in errors is the oldest position that can still be read from. What lies before it is gone: compare your data with the resources themselves, then go on from there.',
})

export const PositionAhead = defineProblem({
  status: 400,
  code: 'POSITION_AHEAD',
  title: 'No event has this position yet',
  advice:
    'A position comes from an event or from nextCursor, of this organization. One that is ahead was mixed up with another organization or comes from before a restore: going on from it would leave out events.',
})
