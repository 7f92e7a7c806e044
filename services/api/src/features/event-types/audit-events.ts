import { LedgerExport } from '#features/audit-exports/index.ts'
import { Checkpoint } from '#features/checkpoints/index.ts'
import { type Definitions, define } from './definition.ts'

const checkpoint = {
  id: 'cpt_01jd0000000000000000000001',
  number: 7,
  sequence: 4_710,
  hash: '9c1f0a6c3b1d2e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b',
  keyId: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  jws: 'eyJhbGciOiJFZERTQSJ9.eyJudW1iZXIiOjd9.c2lnbmF0dXJl',
  signedAt: '2026-01-15T09:30:00.000Z',
  version: 1,
}
const finished = {
  id: 'exp_01jd0000000000000000000001',
  state: 'completed',
  failure: null,
  from: 1,
  to: 4_710,
  events: 4_710,
  bytes: 3_580_112,
  createdAt: '2026-01-15T09:29:00.000Z',
  completedAt: '2026-01-15T09:30:00.000Z',
  expiresAt: '2026-01-22T09:30:00.000Z',
} satisfies typeof LedgerExport.static

export const auditEvents: Definitions<'checkpoint' | 'export'> = {
  'checkpoint.signed': define('checkpoint', 'The ledger was signed as it stood; keep this event', Checkpoint, {
    resourceId: checkpoint.id,
    version: 1,
    changed: [],
    data: checkpoint,
  }),
  'export.completed': define('ledgerExport', 'An export of the ledger can be read', LedgerExport, {
    resourceId: finished.id,
    version: 1,
    changed: [],
    data: finished,
  }),
}
