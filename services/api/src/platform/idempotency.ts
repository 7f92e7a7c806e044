import { CompiledQuery } from 'kysely'
import type { Actor } from './actor.ts'
import type { Transaction } from './database.ts'
import { defineProblem } from './problem.ts'
import type { Work } from './work.ts'

/** A client's key and what it stands for: the same request has the same fingerprint. */
export interface Claim {
  readonly key: string
  readonly fingerprint: string
}

/** A successful answer as it is stored and replayed; `data` keeps its exact bytes. */
export interface Answer {
  readonly status: number
  readonly etag: string | null
  readonly location: string | null
  readonly data: string | null
}

export const IdempotencyInProgress = defineProblem({
  status: 409,
  code: 'IDEMPOTENCY_IN_PROGRESS',
  title: 'A request with this Idempotency-Key is still running',
  advice: 'Send the same request again after the time in Retry-After; it then gets the answer of the first.',
  retryable: true,
})

export const IdempotencyKeyReused = defineProblem({
  status: 422,
  code: 'IDEMPOTENCY_KEY_REUSED',
  title: 'This Idempotency-Key was used for another request',
  advice: 'Use a fresh key for every new request and keep a key for retries of the very same one.',
})

/**
 * Takes the key for this transaction and returns the answer stored under it, if any. The lock is a statement of its
 * own before the look-up: one statement would read a snapshot older than the lock. Both travel with BEGIN.
 * @throws IdempotencyInProgress while another transaction holds the key; IdempotencyKeyReused for another request.
 */
export async function claimKey(db: Transaction, actor: Actor, claim: Claim): Promise<Answer | null> {
  const scope = `${actor.organizationId} ${actor.principalId} ${claim.key}`
  const [lock, found] = await Promise.all([
    db.executeQuery<{ taken: boolean }>(CompiledQuery.raw(lockText, [scope])),
    db.executeQuery<Answer & { fingerprint: string }>(CompiledQuery.raw(findText, [actor.principalId, claim.key])),
  ])
  if (!lock.rows[0]?.taken) throw new IdempotencyInProgress({ retryAfterSeconds: 1 })
  const stored = found.rows[0]
  if (!stored) return null
  if (stored.fingerprint !== claim.fingerprint) throw new IdempotencyKeyReused()
  return { status: stored.status, etag: stored.etag, location: stored.location, data: stored.data }
}

const lockText = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as taken'
const findText = `select fingerprint, status, etag, location, data from idempotency_keys
  where organization_id = current_setting('app.organization_id') and principal_id = $1 and key = $2`

/** Stores the answer; sent with COMMIT as the last statement of the work. */
export function storeAnswer(work: Work, claim: Claim, answer: Answer): Promise<unknown> {
  return work.db.executeQuery(
    CompiledQuery.raw(storeText, [
      work.actor.principalId,
      claim.key,
      claim.fingerprint,
      answer.status,
      answer.etag,
      answer.location,
      answer.data,
      work.now,
    ]),
  )
}

const storeText = `insert into idempotency_keys
  (principal_id, key, fingerprint, status, etag, location, data, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`
