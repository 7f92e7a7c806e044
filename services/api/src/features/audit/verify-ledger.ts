import {
  type SignedCheckpoint,
  selectCheckpointsWithin,
  selectCheckpointUpTo,
  selectPresentCheckpoints,
} from '#features/checkpoints/index.ts'
import type { LedgerKeys } from '#platform/ledger-keys.ts'
import type { View } from '#platform/work.ts'
import type { Finding, Link } from './check-event.ts'
import { type Extent, selectExtent, selectPlace, selectStoredEvents, selectUnnumbered } from './repository.ts'
import { checkHere, goThrough, type HeldCheckpoint, isCheckpoint, type Walk } from './walk.ts'

/** What is verified and how: `read` gives each batch its view, of one transaction or each of its own. */
export interface Verifying {
  readonly read: <T>(run: (view: Pick<View, 'db'>) => Promise<T>) => Promise<T>
  readonly keys: LedgerKeys
  readonly organizationId: string
  readonly from: number
  readonly to: number
  readonly kept: SignedCheckpoint | null
}

export interface Outcome {
  readonly verified: boolean
  /** Events that are as they were recorded, up to the first problem. */
  readonly events: number
  readonly from: number
  readonly to: number
  readonly head: Link
  /** The newest checkpoint that holds; null: there is none of the range. */
  readonly checkpoint: HeldCheckpoint | null
  readonly checkpoints: number
  readonly firstProblem: Finding | null
}

const batchSize = 500
const stretchSize = 5_000

/** Verifies a range of the organization's ledger and names its first bad position. */
export async function verifyLedger(verifying: Verifying): Promise<Outcome> {
  const { read, to } = verifying
  const extent = await read(selectExtent)
  const from = Math.max(verifying.from, extent.floor.sequence + 1)
  const walk = await startAt(verifying, from, extent)
  const findings = [
    await walkTo(to, walk, read),
    checkEnds(to, walk, extent),
    await firstUnnumbered(verifying, from, extent),
  ]
  const firstProblem = firstOf(findings)
  // Retention may have dropped what was just being read: that is no problem, it moves the beginning.
  const { floor } = firstProblem === null ? extent : await read(selectExtent)
  if (floor.sequence > extent.floor.sequence) return verifyLedger(verifying)
  const { place: head, newest: checkpoint, checkpoints } = walk
  const events = Math.max(0, head.sequence - from + 1)
  return { verified: firstProblem === null, events, from, to, head, checkpoint, checkpoints, firstProblem }
}

function firstOf(findings: readonly (Finding | null)[]): Finding | null {
  const found = findings.filter((finding) => finding !== null)
  return found.reduce<Finding | null>((first, one) => (first && first.position <= one.position ? first : one), null)
}

/** At the place before the range: the very beginning, the floor of retention, or an event. */
async function startAt(
  { read, keys, organizationId, kept }: Verifying,
  from: number,
  { floor }: Extent,
): Promise<Walk> {
  const before = (await read((view) => selectCheckpointUpTo(view, from - 1))) ?? null
  const isFloor = floor.sequence === from - 1
  const hash = isFloor ? floor.hash : ((await read((view) => selectPlace(view, from - 1)))?.hash ?? '')
  const place = { sequence: from - 1, hash }
  return { organizationId, keys, from, kept, place, before, newest: null, checkpoints: 0 }
}

async function walkTo(to: number, walk: Walk, read: Verifying['read']): Promise<Finding | null> {
  const { place, before } = walk
  if (place.hash === '')
    return { position: place.sequence, kind: 'missing', detail: 'the event before the range is gone' }
  const atStart = checkHere(walk, before?.sequence === place.sequence ? [before] : [])
  if (atStart !== null) return atStart
  while (walk.place.sequence < to) {
    const after = walk.place.sequence
    const events = await read((view) => selectStoredEvents(view, after, to, batchSize))
    const last = events.at(-1)?.sequence
    if (last === undefined)
      return { position: after + 1, kind: 'missing', detail: `there is nothing from here to ${to}` }
    const signed = events.flatMap(({ content }) => (content && isCheckpoint(content) ? [content.resource_id] : []))
    const [due, present] = await read((view) =>
      Promise.all([selectCheckpointsWithin(view, after, last), selectPresentCheckpoints(view, signed)]),
    )
    const finding = goThrough(walk, { events, due, present })
    if (finding !== null) return finding
  }
  return null
}

/** What was written down about the end of the chain, where the range reaches it. */
function checkEnds(to: number, { place, kept }: Walk, { head, lastEvent, lastCheckpoint }: Extent): Finding | null {
  if (to < head.sequence) return null
  const position = head.sequence + 1
  const signed = Math.max(lastCheckpoint, kept?.sequence ?? 0)
  if (signed > head.sequence)
    return { position, kind: 'missing', detail: `there was an event at ${signed} when a checkpoint was signed` }
  if (lastEvent > head.sequence)
    return { position, kind: 'headDiffers', detail: `the head is not at the last event, ${lastEvent}` }
  if (place.sequence !== head.sequence || place.hash === head.hash) return null
  return { position: head.sequence, kind: 'headDiffers', detail: 'the head has not the hash of the last event' }
}

async function firstUnnumbered({ read, to }: Verifying, from: number, extent: Extent): Promise<Finding | null> {
  const { head, floor } = extent
  const start = from - 1 === floor.sequence ? undefined : await read((view) => selectPlace(view, from - 1))
  const end = to < head.sequence ? to : to + 1
  for (let afterId = start?.id ?? ''; ; ) {
    const { lastId, finding } = await read((view) => selectUnnumbered(view, afterId, stretchSize))
    if (finding !== null) return finding.position <= end ? finding : null
    if (lastId === null) return null
    afterId = lastId
  }
}
