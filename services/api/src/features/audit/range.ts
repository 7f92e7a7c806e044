import type { Actor } from '#platform/actor.ts'
import { RangeOutsideLedger, WholeLedgerOnly } from './problems.ts'
import type { Extent } from './repository.ts'

export interface LedgerRange {
  /** The first position. */
  readonly from: number
  /** The last position; one less than `from` when the ledger is empty. */
  readonly to: number
}

/**
 * The positions that were asked for: all there are, where nothing was said.
 * @throws RangeOutsideLedger when retention has dropped some, or they are ahead of the head.
 */
export function rangeOf(asked: { readonly from?: number; readonly to?: number }, { floor, head }: Extent): LedgerRange {
  const { from = floor.sequence + 1, to = head.sequence } = asked
  const isEmpty = from > to && (asked.from !== undefined || asked.to !== undefined)
  if (isEmpty || from <= floor.sequence || to > head.sequence)
    throw new RangeOutsideLedger({ detail: `The ledger holds the positions ${floor.sequence + 1} to ${head.sequence}` })
  return { from, to }
}

/** Whoever sees the orders of some sources alone does not see the ledger, where all of them are. */
export function requireWholeLedger({ sources }: Actor): void {
  if (sources !== null) throw new WholeLedgerOnly()
}
