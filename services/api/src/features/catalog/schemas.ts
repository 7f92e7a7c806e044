import { type Static, Type } from '@sinclair/typebox'
import { component, Nullable, OneOf } from '#platform/schema.ts'
import { closed, Id, Metadata, Price, Sku, Text, Timestamp, Version } from '#platform/wire.ts'

export const productStatuses = ['draft', 'active', 'archived'] as const
export const stockPolicies = ['deny', 'backorder', 'untracked'] as const

const Prices = Type.Array(Price, { maxItems: 50, description: 'One price per currency' })
const Attributes = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 1_000 },
  propertyNames: { minLength: 1, maxLength: 64 },
  maxProperties: 100,
  description: 'Facts about the product: colour, size, material …',
})
const StockPolicy = OneOf(stockPolicies, {
  description:
    'deny: sold while in stock; backorder: sold beyond that too, and what is missing waits for stock; untracked: always (fees, postage)',
})

export const Product = component(
  'Product',
  Type.Object(
    {
      id: Id('prd'),
      sku: Sku,
      title: Text(500),
      description: Nullable(Type.String({ maxLength: 10_000 })),
      status: OneOf(productStatuses),
      stockPolicy: StockPolicy,
      prices: Prices,
      attributes: Attributes,
      metadata: Metadata,
      version: Version,
      createdAt: Timestamp,
      updatedAt: Timestamp,
    },
    closed,
  ),
)
export type Product = Static<typeof Product>

const optional = {
  description: Type.Optional(Nullable(Type.String({ maxLength: 10_000 }))),
  status: Type.Optional(OneOf(productStatuses)),
  stockPolicy: Type.Optional(StockPolicy),
  attributes: Type.Optional(Attributes),
  metadata: Type.Optional(Metadata),
}

export const CreateProduct = component(
  'CreateProduct',
  Type.Object(
    { sku: Sku, title: Text(500), prices: Prices, ...optional },
    {
      ...closed,
      examples: [{ sku: 'MUG-BLUE', title: 'Blue mug', prices: [{ amount: 799, currency: 'GBP' }] }],
    },
  ),
)
export type CreateProduct = Static<typeof CreateProduct>

export const UpdateProduct = component(
  'UpdateProduct',
  Type.Object(
    { title: Type.Optional(Text(500)), prices: Type.Optional(Prices), ...optional },
    {
      ...closed,
      minProperties: 1,
      description: 'Fields that are not given stay; prices, attributes and metadata are replaced as a whole',
      examples: [{ title: 'Blue mug, 300 ml', attributes: { colour: 'blue' } }],
    },
  ),
)
export type UpdateProduct = Static<typeof UpdateProduct>

export const UpsertProducts = component(
  'UpsertProducts',
  Type.Object(
    { products: Type.Array(CreateProduct, { minItems: 1, maxItems: 1_000 }) },
    {
      ...closed,
      examples: [{ products: [{ sku: 'MUG-RED', title: 'Red mug', prices: [{ amount: 799, currency: 'GBP' }] }] }],
    },
  ),
)
export type UpsertProducts = Static<typeof UpsertProducts>

export const UpsertedProducts = component(
  'UpsertedProducts',
  Type.Object(
    {
      products: Type.Array(
        Type.Object(
          { sku: Sku, id: Id('prd'), outcome: OneOf(['created', 'updated', 'unchanged']), version: Version },
          closed,
        ),
        { maxItems: 1_000 },
      ),
    },
    closed,
  ),
)
export type UpsertedProducts = Static<typeof UpsertedProducts>

export const ProductParams = Type.Object({ productId: Id('prd') }, closed)

export const productFilter = {
  q: Type.Optional(Text(200, { description: 'Start of the SKU or part of the title' })),
  sku: Type.Optional(Sku),
  status: Type.Optional(Type.Array(OneOf(productStatuses), { maxItems: 3 })),
}
