import type { FastifyInstance } from 'fastify'
import { RangeOutsideLedger, WholeLedgerOnly } from '#features/audit/index.ts'
import { command } from '#http/command.ts'
import { download } from '#http/download.ts'
import { query } from '#http/query.ts'
import { createExport } from './create-export.ts'
import { writeExport } from './jobs.ts'
import { ExportFailed, ExportNotFound, ExportNotReady } from './problems.ts'
import { getExport, readExport } from './read-exports.ts'
import { ExportLedger, ExportParams, LedgerExport } from './schemas.ts'

export function auditExportRoutes(app: FastifyInstance): void {
  app.route(
    command({
      id: 'audit.export',
      summary: 'Export the ledger',
      description:
        'Writes the events of a range, without personal data but with its digests, so that `purser-verify` can check them without asking this service. Poll the export until it is completed.',
      method: 'POST',
      url: '/v1/audit/exports',
      status: 202,
      scope: 'audit:read',
      idempotency: 'optional',
      body: ExportLedger,
      returns: LedgerExport,
      problems: [RangeOutsideLedger, WholeLedgerOnly],
      location: ({ id }) => `/v1/audit/exports/${id}`,
      handle: (work, { body }) => createExport(work, body, writeExport),
    }),
  )
  app.route(
    query({
      id: 'audit.getExport',
      summary: 'Read how far an export is',
      url: '/v1/audit/exports/:exportId',
      scope: 'audit:read',
      params: ExportParams,
      returns: LedgerExport,
      problems: [ExportNotFound, WholeLedgerOnly],
      handle: (view, { params }) => getExport(view, params.exportId),
    }),
  )
  app.route(
    download({
      id: 'audit.readExport',
      summary: 'Read the content of an export',
      description:
        'JSON Lines: a header with organization, range, hash before it and newest checkpoint, then one line per event. Streamed, without an envelope and without a limit on its length.',
      url: '/v1/audit/exports/:exportId/content',
      scope: 'audit:read',
      params: ExportParams,
      mediaType: 'application/jsonl',
      fileName: ({ exportId }) => `${exportId}.jsonl`,
      problems: [ExportNotFound, ExportNotReady, ExportFailed, WholeLedgerOnly],
      handle: (read, { params }) => readExport(read, params.exportId),
    }),
  )
}
