import { Type } from '@sinclair/typebox'
import { type AnyJob, defineJob } from '#platform/jobs.ts'
import { Id } from '#platform/wire.ts'
import { expireReservation } from './release-reservation.ts'
import { selectDueReservations } from './repository.ts'

const batchSize = 500

/** Ends one reservation whose time is up. */
export const expireReservationJob = defineJob({
  name: 'reservations.expire',
  payload: Type.Object({ organizationId: Id('org'), reservationId: Id('rsv') }, { additionalProperties: false }),
  key: ({ reservationId }) => reservationId,
  run: ({ tenant }, { organizationId, reservationId }) =>
    tenant(organizationId).write((work) => expireReservation(work, reservationId)),
})

/** Finds reservations of all organizations that are due and belong to no order: those end with their order. */
export const expireDueReservations = defineJob({
  name: 'reservations.expireDue',
  payload: Type.Object({}),
  schedule: '* * * * *',
  async run({ sweep, tenant, now, log }) {
    const due = await sweep((db) => selectDueReservations(db, now, batchSize))
    for (const { organization_id: organizationId, id: reservationId } of due)
      await tenant(organizationId).write((work) =>
        work.enqueue(expireReservationJob, { organizationId, reservationId }),
      )
    if (due.length > 0) log.info({ due: due.length }, 'reservations are due')
  },
})

export const reservationJobs: readonly AnyJob[] = [expireDueReservations, expireReservationJob]
