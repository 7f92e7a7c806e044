import { openKept, type SignedCheckpoint } from '#features/checkpoints/index.ts'
import type { Alerts } from '#platform/alerts.ts'
import { newId } from '#platform/id.ts'
import type { Job } from '#platform/jobs.ts'
import type { LedgerKeys } from '#platform/ledger-keys.ts'
import type { View, Work } from '#platform/work.ts'
import { presentVerification } from './present.ts'
import { InvalidCheckpoint, VerificationNotFound } from './problems.ts'
import { type LedgerRange, rangeOf, requireWholeLedger } from './range.ts'
import { insertVerification, selectExtent, selectVerification } from './repository.ts'
import type { Verification, VerifyLedger } from './schemas.ts'
import { type Outcome, verifyLedger } from './verify-ledger.ts'

/** Events that are verified while the caller waits. More are a job's work. */
const mostAtOnce = 5_000

export interface VerificationPayload {
  readonly organizationId: string
  readonly verificationId: string
}

/** What a verification is made with; `later` verifies a range that is long. */
export interface Means {
  readonly keys: LedgerKeys
  readonly alerts: Alerts
  readonly later: Job<VerificationPayload>
}

/** Verifies a range of the ledger: at once, or by a job when it is long. */
export async function requestVerification(
  work: Work,
  input: VerifyLedger,
  { keys, alerts, later }: Means,
): Promise<Verification> {
  requireWholeLedger(work.actor)
  const { organizationId } = work.actor
  const range = rangeOf(input, await selectExtent(work))
  const kept = keptCheckpoint(input, range, keys, organizationId)
  const read = <T>(run: (view: Work) => Promise<T>): Promise<T> => run(work)
  const isShort = range.to - range.from < mostAtOnce
  const outcome = isShort ? await verifyLedger({ ...range, read, keys, organizationId, kept }) : null
  const row = {
    id: newId('vrf'),
    state: outcome ? 'completed' : 'queued',
    first_sequence: range.from,
    last_sequence: range.to,
    kept: input.checkpoint ?? null,
    outcome,
    failure: null,
    created_at: work.now,
    completed_at: outcome ? work.now : null,
  } as const
  await insertVerification(work, row)
  if (outcome === null) await work.enqueue(later, { organizationId, verificationId: row.id })
  else raiseAlarm(alerts, organizationId, outcome)
  return presentVerification(row)
}

function keptCheckpoint(
  { checkpoint, to }: VerifyLedger,
  range: LedgerRange,
  keys: LedgerKeys,
  organizationId: string,
): SignedCheckpoint | null {
  if (checkpoint === undefined) return null
  const signed = openKept(checkpoint, keys, organizationId)
  if (signed === null) throw new InvalidCheckpoint({ detail: 'None of our keys signed this for this organization' })
  const { sequence } = signed
  // One ahead of the head is a finding, unless the caller asked for less than there is.
  if (sequence < range.from - 1 || (to !== undefined && sequence > to))
    throw new InvalidCheckpoint({ detail: `It was signed of position ${sequence}, outside ${range.from}–${range.to}` })
  return signed
}

export async function getVerification(view: View, verificationId: string): Promise<Verification> {
  const row = await selectVerification(view, verificationId)
  if (!row) throw new VerificationNotFound()
  return presentVerification(row)
}

/** Somebody who can write to the database has changed what must never change: people have to know. */
export function raiseAlarm(alerts: Alerts, organizationId: string, { firstProblem }: Outcome): void {
  if (firstProblem === null) return
  const { position, kind, detail } = firstProblem
  alerts.raise({
    alert: 'ledger.tampered',
    message: 'the ledger does not verify',
    organizationId,
    position,
    kind,
    detail,
  })
}
