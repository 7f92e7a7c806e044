import { Type } from '@sinclair/typebox'
import {
  openKept,
  selectCheckpointUpTo,
  selectMovedOrganizations,
  signCheckpoint,
} from '#features/checkpoints/index.ts'
import { type AnyJob, defineJob, type JobContext } from '#platform/jobs.ts'
import { ledgerKeys } from '#platform/ledger-keys.ts'
import { closed, Id } from '#platform/wire.ts'
import { completeVerification, giveUpVerification, resumeVerification, selectExtent } from './repository.ts'
import { raiseAlarm } from './verifications.ts'
import { type Outcome, type Verifying, verifyLedger } from './verify-ledger.ts'

/** Verifies a range that is too long for an answer, each batch in a transaction of its own. */
export const verifyLongRange = defineJob({
  name: 'audit.verify',
  payload: Type.Object({ organizationId: Id('org'), verificationId: Id('vrf') }, closed),
  async run(context, { organizationId, verificationId }) {
    const tenant = context.tenant(organizationId)
    const asked = await tenant.write((work) => resumeVerification(work, verificationId))
    if (asked === undefined) return
    const kept = asked.kept === null ? null : openKept(asked.kept, ledgerKeys(context.config), organizationId)
    const range = { from: asked.first_sequence, to: asked.last_sequence }
    const outcome = await verify(context, organizationId, { ...range, kept })
    await tenant.write((work) => completeVerification(work, verificationId, outcome))
  },
  async giveUp(work, { verificationId }, end) {
    await giveUpVerification(work, verificationId, end)
  },
})

/** Signs every ledger that has grown, after verifying what has come since the last checkpoint: once an hour. */
export const signCheckpoints = defineJob({
  name: 'audit.signCheckpoints',
  payload: Type.Object({}),
  schedule: '23 * * * *',
  async run(context) {
    const keys = ledgerKeys(context.config)
    for (const organizationId of await context.sweep(selectMovedOrganizations)) {
      if (context.signal.aborted) return
      const tenant = context.tenant(organizationId)
      const { head, last } = await tenant.read(async (view) => {
        const { head, lastCheckpoint } = await selectExtent(view)
        return { head: head.sequence, last: (await selectCheckpointUpTo(view, lastCheckpoint))?.sequence ?? 0 }
      })
      const { verified } = await verify(context, organizationId, { from: last + 1, to: head, kept: null })
      if (verified) await tenant.write((work) => signCheckpoint(work, keys))
    }
  },
})

async function verify(
  { tenant, config, alerts, signal }: JobContext,
  organizationId: string,
  range: Pick<Verifying, 'from' | 'to' | 'kept'>,
): Promise<Outcome> {
  const { read } = tenant(organizationId)
  const reading: Verifying['read'] = (run) => {
    signal.throwIfAborted()
    return read(run)
  }
  const outcome = await verifyLedger({ ...range, read: reading, keys: ledgerKeys(config), organizationId })
  raiseAlarm(alerts, organizationId, outcome)
  return outcome
}

export const auditJobs: readonly AnyJob[] = [verifyLongRange, signCheckpoints]
