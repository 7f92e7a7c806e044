import { canonicalJson } from './canonical.ts'
import { type ChainedEvent, eventHash, noHash } from './chain.ts'
import { type Checkpoint, openCheckpoint, type PublicKeys } from './checkpoint.ts'

/** The first line of an export. */
interface Header {
  readonly format: 'purser-ledger'
  readonly formatVersion: 1
  readonly organizationId: string
  readonly from: number
  readonly to: number
  readonly previousHash: string
  readonly checkpoint: string | null
}

export interface Problem {
  /** The first position of the ledger that is not as it was recorded. */
  readonly position: number
  readonly kind: 'unreadable' | 'missing' | 'misplaced' | 'altered' | 'checkpointDiffers' | 'checkpointInvalid'
  readonly detail: string
}

export interface Report {
  readonly organizationId: string
  readonly from: number
  readonly to: number
  /** Events that follow from the one before them, up to the first problem. */
  readonly verified: number
  readonly head: string
  /** The newest checkpoint whose signature and hash were right. */
  readonly checkpoint: Checkpoint | null
  readonly checkpoints: number
  /** Checkpoints among the events that were signed by keys that were not given. */
  readonly unknownKeys: number
  readonly firstProblem: Problem | null
}

/** Hashes that are remembered for checkpoints, whose own events come a little later than what they sign. */
const remembered = 65_536

/**
 * Verifies an export line by line: order, gaps, hashes, and the checkpoints among its events, in its header and in
 * `kept` (checkpoints that were put aside elsewhere).
 * @throws Error when the first line is not the header of an export.
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  keys: PublicKeys,
  kept: readonly string[] = [],
): Promise<Report> {
  const iterator = lines[Symbol.asyncIterator]()
  const header = readHeader((await iterator.next()).value)
  const chain = createChain(header, keys)
  let problem = await chain.expect([...(header.checkpoint === null ? [] : [header.checkpoint]), ...kept])
  for (let next = await iterator.next(); !next.done && !problem; next = await iterator.next())
    if (next.value !== '') problem = await chain.add(next.value)
  return chain.report(problem ?? chain.end())
}

function readHeader(line: string | undefined): Header {
  const header = parseObject(line ?? '') as Partial<Header> | undefined
  const isHeader =
    header?.format === 'purser-ledger' &&
    header.formatVersion === 1 &&
    typeof header.organizationId === 'string' &&
    Number.isSafeInteger(header.from) &&
    Number.isSafeInteger(header.to) &&
    typeof header.previousHash === 'string'
  if (!isHeader) throw new Error('the first line is not the header of a ledger export')
  return header as Header
}

function createChain(header: Header, keys: PublicKeys) {
  const { organizationId, from, to } = header
  const hashes = new Map<number, string>()
  /** Checkpoints that are still to come, by the position they sign. */
  const expected = new Map<number, Checkpoint[]>()
  let [position, head] = [from - 1, header.previousHash]
  let [checkpoints, unknownKeys] = [0, 0]
  let newest: Checkpoint | null = null

  const found = (at: number, kind: Problem['kind'], detail: string): Problem => ({ position: at, kind, detail })

  function compare(checkpoint: Checkpoint, hash: string): Problem | undefined {
    const { sequence, signedAt } = checkpoint
    const since = newest === null ? from : newest.sequence + 1
    if (checkpoint.hash !== hash)
      return found(
        sequence,
        'checkpointDiffers',
        `the hash is not the one signed at ${signedAt}: changed at ${since} to ${sequence}`,
      )
    checkpoints += 1
    if (newest === null || newest.sequence <= sequence) newest = checkpoint
    return undefined
  }

  /** Compares a checkpoint of a position behind us, or remembers it until we are there. */
  function hold(checkpoint: Checkpoint): Problem | undefined {
    const { sequence } = checkpoint
    if (checkpoint.organizationId !== organizationId)
      return found(position + 1, 'checkpointInvalid', 'a checkpoint belongs to another organization')
    const hash = hashes.get(sequence)
    if (hash !== undefined) return compare(checkpoint, hash)
    if (sequence > position) expected.set(sequence, [...(expected.get(sequence) ?? []), checkpoint])
    return undefined
  }

  async function expect(tokens: readonly string[]): Promise<Problem | undefined> {
    for (const token of tokens) {
      const opened = await openCheckpoint(token, keys)
      if ('refusal' in opened) {
        const why = opened.refusal === 'unknownKey' ? 'was signed by a key that was not given' : 'is not validly signed'
        return found(from, 'checkpointInvalid', `a checkpoint ${why}`)
      }
      const problem = hold(opened.checkpoint)
      if (problem) return problem
    }
    return undefined
  }

  async function add(line: string): Promise<Problem | undefined> {
    const next = position + 1
    const event = parseObject(line) as (ChainedEvent & { readonly hash: unknown }) | undefined
    if (event === undefined) return found(next, 'unreadable', 'the line is not canonical JSON')
    if (event.sequence !== next) {
      const isAhead = typeof event.sequence === 'number' && event.sequence > next
      return found(next, isAhead ? 'missing' : 'misplaced', `the line holds position ${String(event.sequence)}`)
    }
    if ((await eventHash(event, organizationId, head)) !== event.hash)
      return found(next, 'altered', 'the event does not have the hash it was recorded with')
    position = next
    head = event.hash as string
    remember(next, head)
    const due = expected.get(next) ?? []
    expected.delete(next)
    for (const checkpoint of due) {
      const problem = compare(checkpoint, head)
      if (problem) return problem
    }
    return event.type === 'checkpoint.signed' ? own(event) : undefined
  }

  /** A checkpoint that was recorded as an event of the ledger itself. */
  async function own(event: ChainedEvent): Promise<Problem | undefined> {
    const opened = await openCheckpoint((event.data as { readonly jws?: unknown } | null)?.jws, keys)
    if ('checkpoint' in opened) return hold(opened.checkpoint)
    if (opened.refusal === 'invalid') return found(position, 'checkpointInvalid', 'it is not validly signed')
    unknownKeys += 1
    return undefined
  }

  function remember(at: number, hash: string): void {
    hashes.set(at, hash)
    hashes.delete(at - remembered)
  }

  function end(): Problem | null {
    const claimed = Math.max(to, ...expected.keys())
    return position < claimed ? found(position + 1, 'missing', `the export ends here instead of at ${claimed}`) : null
  }

  remember(position, head)
  const report = (firstProblem: Problem | null): Report => {
    const verified = position - from + 1
    return {
      organizationId,
      from,
      to: position,
      verified,
      head,
      checkpoint: newest,
      checkpoints,
      unknownKeys,
      firstProblem,
    }
  }
  if (from === 1 && head !== noHash) throw new Error('the header of an export from position 1 names a hash before it')
  return { expect, add, end, report }
}

/** The object of a line; undefined unless the line is its one canonical form, so that no two readers can differ. */
function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || canonicalJson(value) !== line) return undefined
    return value as Record<string, unknown>
  } catch {
    return undefined
  }
}
