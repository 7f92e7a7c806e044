import pino from 'pino'
import type { Test } from 'tap'
import { type Harness, harness } from './harness.ts'

export interface ContendedHarness extends Harness {
  /** Log lines about deadlocks, also about those that a retry would hide. */
  readonly deadlocks: () => readonly string[]
}

/**
 * A service with a pool of this size that tells of deadlocks. Locks are waited for longer than PostgreSQL takes to
 * look for a deadlock (1 s): otherwise one would pass for an ordinary time-out.
 */
export async function contended(
  t: Test,
  poolSize: number,
  more: Readonly<Record<string, string>> = {},
): Promise<ContendedHarness> {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (text: string) => void lines.push(text) })
  const env = { DB_POOL_SIZE: String(poolSize), DB_LOCK_TIMEOUT_MS: '2500', ...more }
  const service = await harness(t, { log, env })
  return { ...service, deadlocks: () => lines.filter((text) => /deadlock/i.test(text)) }
}
