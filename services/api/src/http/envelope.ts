import type { FastifyReply } from 'fastify'
import type { Page, PagePosition, SequencePage, TablePage, TableRequest } from '#platform/page.ts'

/** Sends an answer, without a body if there is none; nothing when the time-out has answered already. */
export function sendAnswer(reply: FastifyReply, text?: string): FastifyReply {
  if (reply.sent) return reply
  return text === undefined ? reply.send() : reply.type('application/json; charset=utf-8').send(text)
}

/** The success envelope around `data` that is already serialized: its bytes stay what they are. */
export const envelope = (data: string, requestId: string): string =>
  `{"success":true,"data":${data},"meta":{"requestId":"${requestId}"}}`

export function pageEnvelope<T>(
  page: Page<T>,
  requestId: string,
  serialize: (item: T) => string,
  cursorOf: (position: PagePosition) => string,
): string {
  const meta = {
    requestId,
    page: {
      nextCursor: page.next && cursorOf(page.next),
      previousCursor: page.previous && cursorOf(page.previous),
      hasMore: page.next !== null,
    },
  }
  return `{"success":true,"data":[${page.items.map(serialize).join(',')}],"meta":${JSON.stringify(meta)}}`
}

export function tableEnvelope<T>(
  { items, totalItems }: TablePage<T>,
  { page, pageSize }: TableRequest,
  requestId: string,
  serialize: (item: T) => string,
): string {
  const meta = { requestId, page: { page, pageSize, totalItems, totalPages: Math.ceil(totalItems / pageSize) } }
  return `{"success":true,"data":[${items.map(serialize).join(',')}],"meta":${JSON.stringify(meta)}}`
}

/** Cursors of a sequence are its positions, as they stand: everybody may know them. */
export function sequenceEnvelope<T>(
  { items, next, hasMore }: SequencePage<T>,
  requestId: string,
  serialize: (item: T) => string,
): string {
  const meta = { requestId, page: { nextCursor: String(next), previousCursor: null, hasMore } }
  return `{"success":true,"data":[${items.map(serialize).join(',')}],"meta":${JSON.stringify(meta)}}`
}
