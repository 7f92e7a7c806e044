import type { Actor } from './actor.ts'
import { columnArrays } from './column-arrays.ts'
import { runSql, type Transaction } from './database.ts'
import { type AppError, defineProblem } from './problem.ts'
import type { Origin, Work } from './work.ts'

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

/** What a claim found: nothing stored yet, the stored answer, or why the request must be refused. */
export type ClaimState = 'fresh' | { readonly stored: Answer } | { readonly problem: AppError }

interface Claimed {
  readonly origin: Pick<Origin, 'actor'>
  readonly claim: Claim
}

type StoredRow = Answer & { readonly principal_id: string; readonly key: string; readonly fingerprint: string }

/**
 * Takes the keys of several requests of one organization for this transaction. The locks are a statement of their own
 * before the look-up: one statement would read a snapshot older than its locks. Both travel with BEGIN.
 */
export async function claimKeys(db: Transaction, requests: readonly Claimed[]): Promise<ClaimState[]> {
  const scopes = requests.map(({ origin, claim }) => scopeOf(origin.actor, claim.key))
  const principals = [...new Set(requests.map(({ origin }) => origin.actor.principalId))]
  const [locks, found] = await Promise.all([
    runSql<{ taken: boolean }>(db, lockText, [scopes]),
    runSql<StoredRow>(db, findText, [principals, requests.map(({ claim }) => claim.key)]),
  ])
  const stored = new Map(found.map((row) => [`${row.principal_id} ${row.key}`, row]))
  return requests.map(({ origin, claim }, index): ClaimState => {
    // The same key twice in one group: the later one is like a request that came while the first was running.
    const isFirst = scopes.indexOf(scopes[index] as string) === index
    if (!isFirst || !locks[index]?.taken) return { problem: new IdempotencyInProgress({ retryAfterSeconds: 1 }) }
    const row = stored.get(`${origin.actor.principalId} ${claim.key}`)
    if (!row) return 'fresh'
    if (row.fingerprint !== claim.fingerprint) return { problem: new IdempotencyKeyReused() }
    return { stored: { status: row.status, etag: row.etag, location: row.location, data: row.data } }
  })
}

const scopeOf = ({ organizationId, principalId }: Actor, key: string): string =>
  `${organizationId} ${principalId} ${key}`

const lockText = `select pg_try_advisory_xact_lock(hashtextextended(scope, 0)) as taken
  from unnest($1::text[]) with ordinality as claims (scope, position) order by position`
const findText = `select principal_id, key, fingerprint, status, etag, location, data from idempotency_keys
  where organization_id = current_setting('app.organization_id') and principal_id = any($1) and key = any($2)`

/** Stores the answers; sent with COMMIT as the last statement of the work. */
export function storeAnswers(
  db: Transaction,
  claimed: readonly (Claimed & { readonly work: Work })[],
  answers: readonly Answer[],
) {
  if (claimed.length === 0) return []
  const rows = claimed.map(({ origin, claim, work }, index) => ({
    ...claim,
    ...(answers[index] as Answer),
    principal_id: origin.actor.principalId,
    created_at: work.now,
  }))
  return [runSql(db, storeText, answerArrays.parameters(rows))]
}

const answerArrays = columnArrays({
  principal_id: 'token',
  key: 'text',
  fingerprint: 'token',
  status: 'smallint',
  etag: 'token',
  location: 'token',
  data: 'json text',
  created_at: 'timestamptz(3)',
})
const storeText = `insert into idempotency_keys (${answerArrays.names})
  select ${answerArrays.names} from ${answerArrays.from('a', 1)}`
