import type { Harness } from './harness.ts'
import { relay } from './relayed.ts'

/** Every event of the tenant, numbered and read over HTTP, where each is held against the schema of its type. */
export async function recordedEvents(h: Pick<Harness, 'as' | 'runtime' | 'tenant'>) {
  await relay(h)
  const events: { readonly type: string; readonly sequence: number; readonly data: unknown }[] = []
  for (let after = '0', hasMore = true; hasMore; ) {
    const { status, body, text } = await h.as(h.tenant.key).get(`/v1/events?limit=100&after=${after}`)
    if (status !== 200) throw new Error(text)
    events.push(...body.data)
    ;({ nextCursor: after, hasMore } = body.meta.page)
  }
  return events
}
