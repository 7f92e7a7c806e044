import pg from 'pg'
import { defineProblem } from './problem.ts'

export const DatabaseUnavailable = defineProblem({
  status: 503,
  code: 'DATABASE_UNAVAILABLE',
  title: 'The database did not answer in time',
  advice:
    'Send the same request again after the time in Retry-After; with the same Idempotency-Key it takes effect once.',
  retryable: true,
})

export const OutcomeUnknown = defineProblem({
  status: 503,
  code: 'OUTCOME_UNKNOWN',
  title: 'The connection to the database broke while the change was being committed',
  advice: 'The change may have taken effect. Send the same request with the same Idempotency-Key to learn the outcome.',
  retryable: true,
})

/** COMMIT answered another tag: a statement had failed and its error was swallowed. Always a defect. */
export class CommitRefused extends Error {
  constructor(tag: string) {
    super(`COMMIT answered ${tag}: a failed statement was swallowed`)
  }
}

/** Thrown by a repository whose random value collided: the same work succeeds with a fresh one. */
export class RunAgain extends Error {}

/** serialization_failure, deadlock_detected, admin_shutdown, crash_shutdown, cannot_connect_now. */
const transientCodes = new Set(['40001', '40P01', '57P01', '57P02', '57P03'])
const timeoutCodes = new Set(['57014', '55P03', '25P03'])
const socketCodes = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'])
const brokenMessages = /Connection terminated|Query read timeout|not queryable|connection error|Client was closed/i

/** True when the connection is gone or can no longer be trusted. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = errorCode(error)
  if (code !== undefined) return code.startsWith('08') || code.startsWith('57P0') || socketCodes.has(code)
  return !(error instanceof pg.DatabaseError) && brokenMessages.test(error.message)
}

/** True when the same unit of work may simply run again. */
export function isTransient(error: unknown): boolean {
  return error instanceof RunAgain || isConnectionFailure(error) || transientCodes.has(errorCode(error) ?? '')
}

/** True when PostgreSQL gave up on a lock or a statement: the request may be sent again later. */
export const isDatabaseTimeout = (error: unknown): boolean => timeoutCodes.has(errorCode(error) ?? '')

/** DatabaseUnavailable in place of an error that says the database is away or overloaded; else the error itself. */
export function asDatabaseProblem(error: unknown): unknown {
  return isTransient(error) || isDatabaseTimeout(error) ? new DatabaseUnavailable({ cause: error }) : error
}

/** True when `constraint` refused the statement; for translating a conflict where the SQL is. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.constraint === constraint
}

/** The detail of an error that a function of the database raised with this code; null for any other error. */
export function raisedBy(error: unknown, code: string): string | null {
  return error instanceof pg.DatabaseError && error.code === code ? (error.detail ?? '') : null
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
