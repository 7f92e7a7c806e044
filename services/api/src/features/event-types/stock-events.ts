import { Type } from '@sinclair/typebox'
import { Product } from '#features/catalog/index.ts'
import { Location, maxQuantity, StockLevel, severities } from '#features/inventory/index.ts'
import { Reservation } from '#features/reservations/index.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Sku, Timestamp, Version } from '#platform/wire.ts'
import { type Definitions, define } from './definition.ts'

const Units = Type.Integer({ minimum: 0, maximum: maxQuantity })

/** Sums that should agree may be anything when they do not. */
const Sum = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })

const StockMark = component(
  'StockMark',
  Type.Object(
    {
      id: Id('chk'),
      sku: Sku,
      locationId: Id('loc'),
      onHand: Units,
      reserved: Units,
      backordered: Units,
      safetyStock: Units,
      lowStockThreshold: Nullable(Units),
      available: Type.Integer({ minimum: -2 * maxQuantity, maximum: maxQuantity }),
      condition: OneOf(severities),
      orderIds: Type.Array(Id('ord'), {
        maxItems: 1_000,
        description: 'The orders whose units are not there; empty unless the level is short',
      }),
      levelVersion: Version,
      version: Version,
      createdAt: Timestamp,
      updatedAt: Timestamp,
    },
    { ...closed, description: 'A stock level at the moment it crossed a threshold' },
  ),
)
const StockCheck = component(
  'StockCheck',
  Type.Object(
    {
      id: Id('chk'),
      sku: Sku,
      locationId: Id('loc'),
      onHand: Nullable(Sum),
      reserved: Nullable(Sum),
      backordered: Nullable(Sum),
      movedOnHand: Sum,
      movedReserved: Sum,
      promised: Sum,
      waiting: Sum,
      version: Version,
    },
    { ...closed, description: 'A level, its movements and its reservations, which do not tell the same' },
  ),
)

const locationId = 'loc_01jd0000000000000000000001'
const times = { createdAt: '2026-01-15T09:30:00.000Z', updatedAt: '2026-01-15T09:30:00.000Z' }
const level: typeof StockLevel.static = {
  sku: '85123A',
  locationId,
  onHand: 120,
  reserved: 6,
  backordered: 0,
  safetyStock: 0,
  lowStockThreshold: 10,
  available: 114,
  condition: 'ok',
  version: 2,
  ...times,
}
const mark = (fields: Partial<typeof StockMark.static>) => {
  const data = { ...level, id: 'chk_01jd0000000000000000000001', orderIds: [], levelVersion: 2, version: 1, ...fields }
  return { resourceId: data.id, version: 1, changed: ['condition'], data }
}
const check: typeof StockCheck.static = {
  id: 'chk_01jd0000000000000000000002',
  sku: '85123A',
  locationId,
  onHand: 120,
  reserved: 6,
  backordered: 0,
  movedOnHand: 119,
  movedReserved: 6,
  promised: 6,
  waiting: 0,
  version: 1,
}

export const stockEvents: Definitions<'stock'> = {
  'stock.adjusted': define('stockLevel', 'A stock level was set or adjusted; orders do not adjust it', StockLevel, {
    resourceId: `${level.sku}@${locationId}`,
    version: 2,
    changed: ['onHand'],
    data: level,
  }),
  'stock.low': define(
    'stockMark',
    'No more than lowStockThreshold units are available',
    StockMark,
    mark({ onHand: 16, available: 10, condition: 'low' }),
  ),
  'stock.out': define(
    'stockMark',
    'Nothing is available',
    StockMark,
    mark({ onHand: 6, available: 0, condition: 'out' }),
  ),
  'stock.back': define('stockMark', 'There is stock again', StockMark, mark({})),
  'stock.shortfall': define(
    'stockMark',
    'Fewer units are on hand than are promised to orders',
    StockMark,
    mark({ onHand: 4, available: -2, condition: 'shortfall', orderIds: ['ord_01jd0000000000000000000001'] }),
  ),
  'stock.mismatch': define('stockCheck', 'Level, movements and reservations do not tell the same', StockCheck, {
    resourceId: check.id,
    version: 1,
    changed: [],
    data: check,
  }),
}

const location: typeof Location.static = {
  id: locationId,
  name: 'Warehouse north',
  isDefault: true,
  metadata: {},
  version: 1,
  ...times,
}
const product: typeof Product.static = {
  id: 'prd_01jd0000000000000000000001',
  sku: '85123A',
  title: 'White hanging heart T-light holder',
  description: null,
  status: 'active',
  stockPolicy: 'deny',
  prices: [{ amount: 255, currency: 'GBP' }],
  attributes: { colour: 'white' },
  metadata: {},
  version: 1,
  ...times,
}
const reservation: typeof Reservation.static = {
  id: 'rsv_01jd0000000000000000000001',
  orderId: null,
  sku: '85123A',
  locationId,
  quantity: 2,
  state: 'held',
  expiresAt: '2026-01-15T10:00:00.000Z',
  metadata: {},
  version: 1,
  ...times,
}

const ofProduct = (version: number, changed: readonly string[], fields: Partial<typeof product>) => ({
  resourceId: product.id,
  version,
  changed,
  data: { ...product, ...fields, version },
})
const ofReservation = (version: number, changed: readonly string[], state: typeof reservation.state) => ({
  resourceId: reservation.id,
  version,
  changed,
  data: { ...reservation, state, version },
})

export const catalogEvents: Definitions<'location' | 'product' | 'reservation'> = {
  'location.created': define('location', 'A location was created', Location, {
    resourceId: location.id,
    version: 1,
    changed: [],
    data: location,
  }),
  'location.updated': define('location', 'A location is no longer the default', Location, {
    resourceId: location.id,
    version: 2,
    changed: ['isDefault'],
    data: { ...location, isDefault: false, version: 2 },
  }),
  'product.created': define('product', 'A product was created', Product, ofProduct(1, [], {})),
  'product.updated': define(
    'product',
    'A product changed',
    Product,
    ofProduct(2, ['title'], { title: 'Heart holder' }),
  ),
  'product.archived': define(
    'product',
    'A product was taken off sale',
    Product,
    ofProduct(2, ['status'], { status: 'archived' }),
  ),
  'reservation.created': define(
    'reservation',
    'Stock was held without an order',
    Reservation,
    ofReservation(1, [], 'held'),
  ),
  'reservation.released': define(
    'reservation',
    'Held stock was given back',
    Reservation,
    ofReservation(2, ['state'], 'released'),
  ),
  'reservation.expired': define(
    'reservation',
    'The time of held stock was up',
    Reservation,
    ofReservation(2, ['state'], 'expired'),
  ),
}
