import type { Clock } from '#platform/clock.ts'
import type { Transaction } from '#platform/database.ts'
import { eventOf } from '#platform/event-row.ts'
import type { createKeyedTurns } from '#platform/turns.ts'
import type { UnitOfWork } from '#platform/work.ts'
import { bodyOf, type Content, type RecentContents } from './contents.ts'
import { type OnItsWay, type Paces, shareOut } from './lanes.ts'
import type { Message } from './message.ts'
import {
  type AttemptRow,
  type Candidate,
  type Claimed,
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

export interface TurnDependencies {
  readonly clock: Clock
  readonly unitOfWork: UnitOfWork
  readonly recentContents: RecentContents
}

/** One transaction: writes what arrived, gives back what was lost, and takes what is due next. */
export async function takeTurn(
  { clock, unitOfWork, recentContents }: TurnDependencies,
  state: SenderState,
): Promise<Turn> {
  const arrivals = state.arrivals.splice(0)
  const turn = await unitOfWork
    .sweep((db) => work({ db, state, arrivals, recentContents, now: clock.now() }))
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

interface Working extends Pick<TurnDependencies, 'recentContents'> {
  readonly db: Transaction
  readonly state: SenderState
  readonly arrivals: readonly AttemptRow[]
  readonly now: Date
}

async function work({ db, state, arrivals, recentContents, now }: Working): Promise<Turn> {
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
  const [contents, secrets] = await Promise.all([
    contentsOf(db, claimed, recentContents),
    selectSecrets(db, claimed, now),
  ])
  const dispatches = claimed.flatMap((delivery) => dispatchOf(delivery, candidates, contents.get(delivery), secrets))
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

/** What each of these deliveries is to send, as far as its event is still there. */
async function contentsOf(
  db: Transaction,
  claimed: readonly Claimed[],
  recent: RecentContents,
): Promise<ReadonlyMap<Claimed, Content>> {
  const contents = new Map<Claimed, Content>()
  for (const delivery of claimed) {
    const content = recent.take(delivery.organization_id, delivery.event_id)
    if (content) contents.set(delivery, content)
  }
  const others = claimed.filter((delivery) => !contents.has(delivery))
  const rows = others.length === 0 ? [] : await selectContents(db, others)
  for (const delivery of others) {
    const { organization_id, event_id } = delivery
    const row = rows.find((row) => row.id === event_id && row.organization_id === organization_id)
    if (row) contents.set(delivery, { body: bodyOf(eventOf(row, row.sequence)), traceparent: row.traceparent })
  }
  return contents
}

function dispatchOf(
  delivery: Claimed,
  candidates: readonly Candidate[],
  content: Content | undefined,
  secrets: readonly SecretRow[],
): Dispatch[] {
  const { endpoint_id, event_id, payload } = delivery
  const endpoint = candidates.find(({ id }) => id === endpoint_id)
  const body = payload ?? content?.body
  if (!endpoint || body === undefined) return []
  const message = { id: event_id, body, traceparent: content?.traceparent ?? null }
  return [{ delivery, endpoint, message, secrets: secrets.filter((row) => row.endpoint_id === endpoint_id) }]
}
