import type { Clock } from '#platform/clock.ts'
import type { Transaction } from '#platform/database.ts'
import type { createKeyedTurns } from '#platform/turns.ts'
import type { UnitOfWork } from '#platform/work.ts'
import { type OnItsWay, type Paces, shareOut } from './lanes.ts'
import { bodyOf, type Message } from './message.ts'
import {
  type AttemptRow,
  type Candidate,
  type Claimed,
  type ContentRow,
  cancelExpired,
  claim,
  commitWithoutFlush,
  expireLeases,
  type Lease,
  lockCandidates,
  type SecretRow,
  type Share,
  selectContents,
  selectSecrets,
  writeArrivals,
} from './repository.ts'

/** What a worker knows of its deliveries between two turns. */
export interface SenderState {
  readonly lease: Lease
  readonly mostInFlight: number
  /** Every delivery that is leased here, by its id. */
  readonly inFlight: Map<string, OnItsWay>
  readonly paces: Paces
  readonly recordInTurn: ReturnType<typeof createKeyedTurns>
  /** Attempts that arrived and are not written yet. */
  readonly arrivals: AttemptRow[]
  /** The resource that was served last, by endpoint that is served in order. */
  readonly served: Map<string, string>
  expiredAt: number
  isStopping: boolean
}

/** One delivery that is about to be sent. */
export interface Dispatch {
  readonly delivery: Claimed
  readonly endpoint: Candidate
  readonly message: Message
  readonly secrets: readonly SecretRow[]
}

export interface Turn {
  readonly dispatches: readonly Dispatch[]
  /** Endpoints that count as failing although a delivery arrived. */
  readonly recovered: readonly { readonly organization_id: string; readonly id: string }[]
  /** Whether the next turn should not wait. */
  readonly isMore: boolean
}

const expiryMs = 1_000

/** One transaction: writes what arrived, gives back what was lost, and takes what is due next. */
export async function takeTurn(
  { clock, unitOfWork }: { readonly clock: Clock; readonly unitOfWork: UnitOfWork },
  state: SenderState,
): Promise<Turn> {
  const arrivals = state.arrivals.splice(0)
  const turn = await unitOfWork
    .sweep((db) => work(db, state, arrivals, clock.now()))
    .catch((error: unknown) => {
      state.arrivals.unshift(...arrivals)
      throw error
    })
  for (const { delivery_id } of arrivals) state.inFlight.delete(delivery_id)
  const since = performance.now()
  for (const { delivery } of turn.dispatches)
    state.inFlight.set(delivery.id, { endpointId: delivery.endpoint_id, since })
  return turn
}

async function work(db: Transaction, state: SenderState, arrivals: readonly AttemptRow[], now: Date): Promise<Turn> {
  const { lease } = state
  const isExpiryDue = performance.now() - state.expiredAt > expiryMs
  if (isExpiryDue) state.expiredAt = performance.now()
  const [, recovered, , candidates] = await Promise.all([
    commitWithoutFlush(db),
    arrivals.length === 0 ? [] : writeArrivals(db, arrivals, lease.worker),
    isExpiryDue ? expireLeases(db) : [],
    state.isStopping ? [] : lockCandidates(db, now),
  ])
  const written = new Set(arrivals.map(({ delivery_id }) => delivery_id))
  const shares = shareOut({ ...state, now: performance.now() }, candidates, written)
  if (shares.length === 0) return { dispatches: [], recovered, isMore: false }
  const claimed = await claim(db, shares, lease, now)
  const isMore = goRound(state, shares, claimed)
  if (claimed.length === 0) return { dispatches: [], recovered, isMore }
  const [contents, secrets] = await Promise.all([selectContents(db, claimed), selectSecrets(db, claimed, now)])
  const dispatches = claimed.flatMap((delivery) => dispatchOf(delivery, candidates, contents, secrets))
  const sendable = new Set(dispatches.map(({ delivery }) => delivery))
  const expired = claimed.filter((delivery) => !sendable.has(delivery))
  if (expired.length > 0) await cancelExpired(db, expired)
  return { dispatches, recovered, isMore: isMore || expired.length > 0 }
}

/** Remembers the resources that were served, and begins anew where the end was reached. */
function goRound({ served }: SenderState, shares: readonly Share[], claimed: readonly Claimed[]): boolean {
  let isMore = false
  for (const { candidate, after, slots } of shares.filter((share) => share.candidate.mode === 'inOrder')) {
    const resources = claimed.filter((row) => row.endpoint_id === candidate.id).map((row) => row.resource_id)
    const isEnd = resources.length < slots
    const last = resources.reduce((highest, id) => (id > highest ? id : highest), after)
    if (isEnd) served.delete(candidate.id)
    else served.set(candidate.id, last)
    isMore ||= isEnd && after !== ''
  }
  return isMore
}

function dispatchOf(
  delivery: Claimed,
  candidates: readonly Candidate[],
  contents: readonly ContentRow[],
  secrets: readonly SecretRow[],
): Dispatch[] {
  const { organization_id, endpoint_id, event_id, payload } = delivery
  const endpoint = candidates.find(({ id }) => id === endpoint_id)
  const content = contents.find((row) => row.id === event_id && row.organization_id === organization_id)
  const body = payload ?? (content && bodyOf(content))
  if (!endpoint || body === undefined) return []
  const message = { id: event_id, body, traceparent: content?.traceparent ?? null }
  return [{ delivery, endpoint, message, secrets: secrets.filter((row) => row.endpoint_id === endpoint_id) }]
}
