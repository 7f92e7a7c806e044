import { timestamp } from '#platform/wire.ts'
import type { LevelRow, LocationRow, MovementRow } from './repository.ts'
import type { Location, StockLevel, StockMovement } from './schemas.ts'

export const presentLocation = (row: LocationRow): Location => ({
  id: row.id,
  name: row.name,
  isDefault: row.is_default,
  metadata: row.metadata as Record<string, string>,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})

export const presentLevel = (row: LevelRow): StockLevel => ({
  sku: row.sku,
  locationId: row.location_id,
  onHand: row.on_hand,
  reserved: row.reserved,
  backordered: row.backordered,
  safetyStock: row.safety_stock,
  available: row.on_hand - row.reserved - row.safety_stock,
  version: row.version,
  createdAt: timestamp(row.created_at),
  updatedAt: timestamp(row.updated_at),
})

export const presentMovement = (row: MovementRow): StockMovement => ({
  id: row.id,
  sku: row.sku,
  locationId: row.location_id,
  type: row.type as StockMovement['type'],
  onHandChange: row.on_hand_change,
  reservedChange: row.reserved_change,
  onHand: row.on_hand,
  reserved: row.reserved,
  orderId: row.order_id,
  reservationId: row.reservation_id,
  reason: row.reason,
  actor: row.actor as StockMovement['actor'],
  requestId: row.request_id,
  occurredAt: timestamp(row.occurred_at),
})
