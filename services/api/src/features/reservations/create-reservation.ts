import { selectProductsForSale } from '#features/catalog/index.ts'
import {
  availableOf,
  lockLevels,
  OutOfStock,
  selectLocationsForSale,
  UnknownStockItem,
  writeSteps,
} from '#features/inventory/index.ts'
import { newId } from '#platform/id.ts'
import type { Work } from '#platform/work.ts'
import { presentReservation } from './present.ts'
import { insertReservation, type ReservationRow } from './repository.ts'
import { type CreateReservation, defaultMinutes, type Reservation } from './schemas.ts'

/** Holds stock for a while without an order: all of the quantity, or nothing. */
export async function createReservation(work: Work, input: CreateReservation): Promise<Reservation> {
  const locationId = await locationFor(work, input)
  const { sku, quantity } = input
  const [before] = await lockLevels(work, [{ sku, location_id: locationId }])
  const available = before ? availableOf(before) : 0
  if (!before || available < quantity) throw outOfStock(sku, quantity, available)
  const row = newRow(work, input, locationId)
  const after = { ...before, reserved: before.reserved + quantity }
  const facts = { type: 'reserve', reservationId: row.id } as const
  await Promise.all([insertReservation(work, row), writeSteps(work, [{ before, after }], facts)])
  const reservation = presentReservation(row)
  const resource = { type: 'reservation', id: row.id, version: row.version }
  work.record({ type: 'reservation.created', resource, data: reservation })
  return reservation
}

const newRow = (work: Work, { sku, quantity, expiresInMinutes, metadata }: CreateReservation, locationId: string) =>
  ({
    id: newId('rsv'),
    order_id: null,
    sku,
    location_id: locationId,
    quantity,
    state: 'held',
    expires_at: new Date(work.now.getTime() + (expiresInMinutes ?? defaultMinutes) * 60_000),
    metadata: metadata ?? {},
    version: 1,
    created_at: work.now,
    updated_at: work.now,
  }) satisfies ReservationRow

async function locationFor(work: Work, { sku, locationId }: CreateReservation): Promise<string> {
  const [products, locations] = await Promise.all([
    selectProductsForSale(work, [sku]),
    selectLocationsForSale(work, locationId === undefined ? [] : [locationId]),
  ])
  if (products.length === 0) throw unknown('sku', `there is no product with SKU ${sku}`)
  const found = locations.find(({ id, is_default }) => (locationId === undefined ? is_default : id === locationId))
  if (!found) throw unknown('locationId', 'there is no such location')
  return found.id
}

const unknown = (field: string, message: string) =>
  new UnknownStockItem({ detail: message, errors: [{ field, pointer: `/${field}`, code: 'UNKNOWN', message }] })

function outOfStock(sku: string, quantity: number, available: number): Error {
  const message = `SKU ${sku}: ${quantity} requested, ${available} available`
  const errors = [{ field: 'quantity', pointer: '/quantity', code: 'OUT_OF_STOCK', message }]
  return new OutOfStock({ detail: message, errors })
}
