import { timestamp, timestampOrNull } from '#platform/wire.ts'
import type { ReservationRow } from './repository.ts'
import type { Reservation } from './schemas.ts'

export const presentReservation = (row: ReservationRow): Reservation => ({
  id: row.id,
  orderId: row.order_id,
  sku: row.sku,
  locationId: row.location_id,
  quantity: row.quantity,
  state: row.state as Reservation['state'],
  expiresAt: timestampOrNull(row.expires_at),
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})
