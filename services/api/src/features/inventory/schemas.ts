import { type Static, Type } from '@sinclair/typebox'
import { stockPolicies } from '#features/catalog/index.ts'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { ActorName, closed, Id, Metadata, RequestId, Sku, Text, Timestamp, Version } from '#platform/wire.ts'

export const maxQuantity = 1_000_000_000
export const movementTypes = ['receipt', 'adjustment', 'reserve', 'release', 'consume', 'restock'] as const

const bounds = (minimum: number, maximum: number) => ({ minimum, maximum })
const Units = Type.Integer(bounds(0, maxQuantity))
const UnitChange = Type.Integer(bounds(-maxQuantity, maxQuantity))
const OnHand = Type.Integer({ minimum: 0, maximum: maxQuantity, description: 'Units physically there' })
const SafetyStock = Type.Integer({ minimum: 0, maximum: maxQuantity, description: 'Units that are not sold' })

export const Location = component(
  'Location',
  Type.Object(
    {
      id: Id('loc'),
      name: Text(200),
      isDefault: Type.Boolean({ description: 'Orders that name no location take their stock here' }),
      metadata: Metadata,
      version: Version,
      createdAt: Timestamp,
      updatedAt: Timestamp,
    },
    closed,
  ),
)
export type Location = Static<typeof Location>

export const CreateLocation = component(
  'CreateLocation',
  Type.Object(
    { name: Text(200), isDefault: Type.Optional(Type.Boolean()), metadata: Type.Optional(Metadata) },
    { ...closed, examples: [{ name: 'Warehouse north' }] },
  ),
)
export type CreateLocation = Static<typeof CreateLocation>

export const StockLevel = component(
  'StockLevel',
  Type.Object(
    {
      sku: Sku,
      locationId: Id('loc'),
      onHand: Units,
      reserved: Type.Integer({ ...bounds(0, maxQuantity), description: 'Units promised to orders' }),
      backordered: Type.Integer({ ...bounds(0, maxQuantity), description: 'Units that orders wait for' }),
      safetyStock: Units,
      available: Type.Integer({
        ...bounds(-2 * maxQuantity, maxQuantity),
        description: 'onHand − reserved − safetyStock; negative means a shortfall',
      }),
      version: Type.Integer({
        ...bounds(1, 2_147_483_647),
        description: 'Counts set and adjust; reservations leave it',
      }),
      createdAt: Timestamp,
      updatedAt: Timestamp,
    },
    closed,
  ),
)
export type StockLevel = Static<typeof StockLevel>

export const SetStockLevel = component(
  'SetStockLevel',
  Type.Object(
    { onHand: OnHand, safetyStock: Type.Optional(SafetyStock), reason: Type.Optional(Text(200)) },
    { ...closed, examples: [{ onHand: 120 }] },
  ),
)
export type SetStockLevel = Static<typeof SetStockLevel>

export const SetStockLevels = component(
  'SetStockLevels',
  Type.Object(
    {
      levels: Type.Array(
        Type.Object(
          { sku: Sku, locationId: Id('loc'), onHand: OnHand, safetyStock: Type.Optional(SafetyStock) },
          closed,
        ),
        { minItems: 1, maxItems: 1_000 },
      ),
      reason: Type.Optional(Text(200)),
    },
    {
      ...closed,
      examples: [{ levels: [{ sku: '85123A', locationId: 'loc_01jd0000000000000000000000', onHand: 120 }] }],
    },
  ),
)
export type SetStockLevels = Static<typeof SetStockLevels>

export const StockLevels = component(
  'StockLevels',
  Type.Object({ levels: Type.Array(StockLevel, { maxItems: 1_000 }) }, closed),
)
export type StockLevels = Static<typeof StockLevels>

export const AdjustStock = component(
  'AdjustStock',
  Type.Object(
    {
      change: Type.Integer({
        minimum: -maxQuantity,
        maximum: maxQuantity,
        description: 'Units to add, or to take when negative',
      }),
      type: Type.Optional(OneOf(['receipt', 'adjustment'], { default: 'adjustment' })),
      reason: Type.Optional(Text(200)),
    },
    { ...closed, examples: [{ change: -2, reason: 'damaged' }] },
  ),
)
export type AdjustStock = Static<typeof AdjustStock>

export const StockMovement = component(
  'StockMovement',
  Type.Object(
    {
      id: Id('mov'),
      sku: Sku,
      locationId: Id('loc'),
      type: OneOf(movementTypes),
      onHandChange: UnitChange,
      reservedChange: UnitChange,
      onHand: Type.Integer({ ...bounds(0, maxQuantity), description: 'The level after the movement' }),
      reserved: Type.Integer({ ...bounds(0, maxQuantity), description: 'The level after the movement' }),
      orderId: Nullable(Id('ord')),
      reservationId: Nullable(Id('rsv', 'A reservation that stands alone')),
      reason: Nullable(Text(200)),
      actor: ActorName,
      requestId: RequestId,
      occurredAt: Timestamp,
    },
    closed,
  ),
)
export type StockMovement = Static<typeof StockMovement>

export const LocationParams = Type.Object({ locationId: Id('loc') }, closed)
export const StockLevelParams = Type.Object({ sku: Sku, locationId: Id('loc') }, closed)
export const stockLevelFilter = {
  sku: Type.Optional(Type.Array(Sku, { maxItems: 100, description: 'Only these SKUs' })),
  locationId: Type.Optional(Id('loc')),
}
export const movementFilter = {
  sku: Type.Optional(Sku),
  locationId: Type.Optional(Id('loc')),
  type: Type.Optional(Type.Array(OneOf(movementTypes), { maxItems: movementTypes.length })),
  from: Type.Optional(Timestamp),
  to: Type.Optional(Timestamp),
}

export const CheckAvailability = component(
  'CheckAvailability',
  Type.Object(
    {
      skus: Type.Array(Sku, { minItems: 1, maxItems: 500 }),
      locationId: Type.Optional(Id('loc', 'Only this location')),
    },
    { ...closed, examples: [{ skus: ['85123A', 'MUG-BLUE'] }] },
  ),
)
export type CheckAvailability = Static<typeof CheckAvailability>

export const Availability = component(
  'Availability',
  Type.Object(
    {
      items: Type.Array(
        Type.Object(
          {
            sku: Sku,
            stockPolicy: Nullable(OneOf(stockPolicies, { description: 'Null when there is no such product' })),
            backorderable: Type.Boolean({ description: 'Whether it is sold beyond what is available' }),
            available: Type.Integer({
              ...bounds(0, Number.MAX_SAFE_INTEGER),
              description: 'Over the locations; a shortfall of one takes nothing from another',
            }),
            locations: Type.Array(
              Type.Object(
                {
                  locationId: Id('loc'),
                  onHand: Units,
                  reserved: Units,
                  backordered: Units,
                  safetyStock: Units,
                  available: Type.Integer(bounds(-2 * maxQuantity, maxQuantity)),
                },
                closed,
              ),
              { maxItems: 10_000 },
            ),
          },
          closed,
        ),
        { maxItems: 500 },
      ),
    },
    closed,
  ),
)
export type Availability = Static<typeof Availability>
