import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { ledgerKeys } from '#platform/ledger-keys.ts'
import { verifyLongRange } from './jobs.ts'
import { listEntries } from './list-entries.ts'
import { InvalidCheckpoint, RangeOutsideLedger, VerificationNotFound, WholeLedgerOnly } from './problems.ts'
import { AuditEntry, entryFilter, Verification, VerificationParams, VerifyLedger } from './schemas.ts'
import { getVerification, requestVerification } from './verifications.ts'

export function auditRoutes(app: FastifyInstance): void {
  const { config, alerts } = app.kernel
  app.route(
    list({
      id: 'audit.list',
      summary: 'List who did what and when, newest first',
      description: 'Every event with its hash, the hash before it and the digest of its personal data.',
      url: '/v1/audit',
      scope: 'audit:read',
      filter: entryFilter,
      item: AuditEntry,
      problems: [WholeLedgerOnly],
      handle: (view, { filter, page }) => listEntries(view, filter, page),
    }),
  )
  app.route(
    command({
      id: 'audit.verify',
      summary: 'Verify the ledger',
      description:
        'Checks order, gaps, hashes, rows that were never recorded, and signed checkpoints, and names the first bad position. Up to 5,000 events are verified at once (200); for more the answer is 202 and a verification to poll.',
      method: 'POST',
      url: '/v1/audit/verify',
      status: 200,
      isPending: ({ state }) => state === 'queued',
      scope: 'audit:read',
      idempotency: 'optional',
      body: VerifyLedger,
      returns: Verification,
      problems: [RangeOutsideLedger, InvalidCheckpoint, WholeLedgerOnly],
      location: ({ id }) => `/v1/audit/verifications/${id}`,
      handle: (work, { body }) =>
        requestVerification(work, body, { keys: ledgerKeys(config), alerts, later: verifyLongRange }),
    }),
  )
  app.route(
    query({
      id: 'audit.getVerification',
      summary: 'Read a verification',
      url: '/v1/audit/verifications/:verificationId',
      scope: 'audit:read',
      params: VerificationParams,
      returns: Verification,
      problems: [VerificationNotFound],
      handle: (view, { params }) => getVerification(view, params.verificationId),
    }),
  )
}
