import { LRUCache } from 'lru-cache'
import type { Candidate, Share } from './repository.ts'

/** How the last attempt at an endpoint ended, as far as this worker knows. */
export type Pace = 'quick' | 'slow' | 'failed'
export type Paces = LRUCache<string, Pace>

/** A delivery that is leased here, and since when, by `performance.now()`. */
export interface OnItsWay {
  readonly endpointId: string
  readonly since: number
}

export interface Lanes {
  readonly inFlight: ReadonlyMap<string, OnItsWay>
  readonly mostInFlight: number
  readonly paces: Pick<Paces, 'get'>
  /** The resource that was served last, by endpoint. */
  readonly served: ReadonlyMap<string, string>
  readonly now: number
}

const slowMs = 1_000
const mostRemembered = 10_000

export const newPaces = (): Paces => new LRUCache({ max: mostRemembered })

export const paceOf = (isArrival: boolean, durationMs: number): Pace =>
  isArrival ? (durationMs < slowMs ? 'quick' : 'slow') : 'failed'

/**
 * How many deliveries each endpoint may have on its way. Those that were slow or failed, and those nothing is known of,
 * share half of the room at most: however many there are, they leave the other half to the quick ones. Within its lane
 * an endpoint has its full share until half the lane is taken, then one at a time, as whoever failed last has anyway.
 * They are asked in turns, so that none is always the last.
 */
export function shareOut(lanes: Lanes, candidates: readonly Candidate[], done: ReadonlySet<string>): readonly Share[] {
  const { mostInFlight, paces, served } = lanes
  const busy = busyEndpoints(lanes, done)
  const isQuick = (id: string): boolean =>
    paces.get(id) === 'quick' && (busy.get(id)?.since ?? lanes.now) > lanes.now - slowMs
  const taken = { slow: 0, all: 0 }
  const take = (id: string, count: number): void => {
    taken.all += count
    if (!isQuick(id)) taken.slow += count
  }
  for (const [id, { count }] of busy) take(id, count)
  const start = Math.floor(Math.random() * candidates.length)
  return [...candidates.slice(start), ...candidates.slice(0, start)].flatMap((candidate) => {
    const { id, mode, mine, max_concurrency } = candidate
    const here = busy.get(id)?.count ?? 0
    const [room, used] = isQuick(id) ? [mostInFlight, taken.all] : [Math.floor(mostInFlight / 2), taken.slow]
    const isSingle = mode === 'probe' || paces.get(id) === 'failed' || used >= room / 2
    const wanted = Math.min((isSingle ? 1 : max_concurrency) - here, room - used, mostInFlight - taken.all)
    if (!mine || wanted <= 0) return []
    take(id, wanted)
    return [{ candidate, slots: here + wanted, after: served.get(id) ?? '' }]
  })
}

/** How many of each endpoint are on their way, and since when the first of them is. */
function busyEndpoints({ inFlight }: Lanes, done: ReadonlySet<string>) {
  const busy = new Map<string, { readonly count: number; readonly since: number }>()
  for (const [deliveryId, { endpointId, since }] of inFlight) {
    if (done.has(deliveryId)) continue
    const known = busy.get(endpointId)
    busy.set(endpointId, { count: (known?.count ?? 0) + 1, since: Math.min(known?.since ?? since, since) })
  }
  return busy
}
