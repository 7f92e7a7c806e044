import { Type } from '@sinclair/typebox'
import { deleteInBatches } from '#platform/delete-batches.ts'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { closed, Id } from '#platform/wire.ts'
import { deleteExpiredExports, giveUpExport, resumeExport } from './repository.ts'
import { daysAfter, writeChunk } from './write-export.ts'

/** Writes an export. Taken over by another worker it goes on behind the last chunk there is. */
export const writeExport = defineJob({
  name: 'audit.export',
  payload: Type.Object({ organizationId: Id('org'), exportId: Id('exp') }, closed),
  async run({ tenant, config, signal }, { organizationId, exportId }) {
    const { write } = tenant(organizationId)
    await write((work) => resumeExport(work, exportId))
    for (let isDone = false; !isDone; ) {
      signal.throwIfAborted()
      isDone = await write((work) => writeChunk(work, exportId, config.AUDIT_EXPORT_RETENTION_DAYS))
    }
  },
  async giveUp(work, { exportId }, end, config) {
    await giveUpExport(work, exportId, end, daysAfter(work.now, config.AUDIT_EXPORT_RETENTION_DAYS))
  },
})

const fewExports = 10

/** Deletes exports whose time is over. */
export const forgetExports = defineJob({
  name: 'audit.forgetExports',
  payload: Type.Object({}),
  schedule: '41 * * * *',
  async run(context) {
    const deleted = await deleteInBatches(context, fewExports, (db, limit) =>
      deleteExpiredExports(db, context.now, limit),
    )
    context.log.info({ deleted }, 'expired exports deleted')
  },
})

export const auditExportJobs: readonly AnyJob[] = [writeExport, forgetExports]
