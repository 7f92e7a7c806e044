import type { Test } from 'tap'
import type { Harness } from './harness.ts'
import { type TallyingReceiver, tallyingReceiver } from './tallying-receiver.ts'
import { addEndpoint } from './webhook-endpoints.ts'

/** An endpoint and who listens there. */
export interface Listener {
  readonly organizationId: string
  readonly types: readonly string[]
  readonly ordering: 'none' | 'perResource'
  readonly receiver: TallyingReceiver
}

/** Four endpoints of two organizations: quick, in order, slow with one type, and the other organization's. */
export async function listenAtEndpoints(t: Test, h: Harness, other: string, random: () => number) {
  const { organizationId } = h.tenant
  const plans = [
    { organizationId, types: ['*'], ordering: 'none', pauseMs: 0 },
    { organizationId, types: ['*'], ordering: 'perResource', pauseMs: 20 },
    { organizationId, types: ['order.placed'], ordering: 'none', pauseMs: 100 },
    { organizationId: other, types: ['*'], ordering: 'none', pauseMs: 0 },
  ] as const
  const listeners: Listener[] = []
  for (const { pauseMs, ...plan } of plans) {
    const receiver = await tallyingReceiver(t, pauseMs, random)
    await addEndpoint(h, receiver.url, { ...plan, maxConcurrency: 20 })
    listeners.push({ ...plan, receiver })
  }
  return listeners
}

/** Every endpoint has got every event that it hears of and no other, each time and everywhere with the same bytes. */
export async function everybodyHeard(t: Test, { db }: Harness, listeners: readonly Listener[]): Promise<void> {
  const { rows } = await db.query('select organization_id, id, type from events order by organization_id, sequence')
  const digests = new Map<string, string>()
  for (const { organizationId, types, ordering, receiver } of listeners) {
    const name = `${ordering} ${types}`
    const wanted = rows.filter(
      (row) => row.organization_id === organizationId && (types[0] === '*' || types.includes(row.type)),
    )
    t.same(
      wanted.filter(({ id }) => !receiver.events.has(id)).map(({ id }) => id),
      [],
      `${name}: none of ${wanted.length} events is missing`,
    )
    t.equal(receiver.events.size, wanted.length, `${name}: no others`)
    t.same(receiver.different, [], `${name}: the same bytes each time`)
    for (const [id, { digest }] of receiver.events) {
      if (digest !== (digests.get(id) ?? digest)) t.fail(`${name}: other bytes of ${id} than elsewhere`)
      digests.set(id, digest)
    }
    if (ordering === 'perResource') t.same(disorder(receiver), [], `${name}: each resource's events came in order`)
  }
}

/** Events that came first after a later one of their resource. */
function disorder({ events }: TallyingReceiver): readonly string[] {
  const newest = new Map<string, number>()
  const found: string[] = []
  for (const [id, { resourceId, sequence }] of events) {
    if (sequence < (newest.get(resourceId) ?? 0)) found.push(id)
    newest.set(resourceId, sequence)
  }
  return found
}

/** How many requests came, and how many of them repeated one. */
export function heardInAll(listeners: readonly Listener[]) {
  const sum = (of: (receiver: TallyingReceiver) => number): number =>
    listeners.reduce((total, { receiver }) => total + of(receiver), 0)
  const requests = sum((receiver) => receiver.requests)
  return { requests, repeated: requests - sum(({ events }) => events.size) }
}
