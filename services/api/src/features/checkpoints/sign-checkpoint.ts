import { hash } from 'node:crypto'
import { noHash } from '#platform/event-chain.ts'
import { newId } from '#platform/id.ts'
import type { LedgerKeys } from '#platform/ledger-keys.ts'
import { timestamp } from '#platform/wire.ts'
import type { Work } from '#platform/work.ts'
import { presentCheckpoint } from './present.ts'
import { insertCheckpoint, selectHead, selectNewestCheckpoint } from './repository.ts'
import type { Checkpoint } from './schemas.ts'

/**
 * Signs the newest event there is now. The checkpoint goes to three places: its table, the ledger itself (and with it
 * to everybody who reads events), and the log.
 */
export async function signCheckpoint(work: Work, keys: LedgerKeys): Promise<Checkpoint> {
  const [head, newest] = await Promise.all([selectHead(work), selectNewestCheckpoint(work)])
  const signed = {
    organizationId: work.actor.organizationId,
    id: newId('cpt'),
    number: (newest?.number ?? 0) + 1,
    sequence: head?.sequence ?? 0,
    hash: head?.hash.toString('hex') ?? noHash,
    previous: newest === undefined ? null : digestOf(newest.jws),
    signedAt: timestamp(work.now),
  }
  const { id, number, sequence } = signed
  const row = {
    id,
    number,
    sequence,
    hash: Buffer.from(signed.hash, 'hex'),
    key_id: keys.keyId,
    jws: keys.sign(signed),
    signed_at: work.now,
  }
  await insertCheckpoint(work, row)
  const checkpoint = presentCheckpoint(row)
  work.record({ type: 'checkpoint.signed', resource: { type: 'checkpoint', id, version: 1 }, data: checkpoint })
  const { organizationId } = signed
  work.log.info({ organizationId, number, sequence, hash: signed.hash, jws: row.jws }, 'ledger checkpoint signed')
  return checkpoint
}

/** What the next checkpoint says of this one. */
export const digestOf = (jws: string): string => hash('sha256', jws, 'hex')
