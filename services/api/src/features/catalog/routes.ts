import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { createProduct } from './create-product.ts'
import { DuplicateSku, ProductNotFound, RepeatedEntry } from './problems.ts'
import { getProduct, listProducts } from './read-products.ts'
import { CreateProduct, Product, ProductParams, productFilter, UpsertedProducts, UpsertProducts } from './schemas.ts'
import { upsertProductBatch } from './upsert-products.ts'

export function catalogRoutes(app: FastifyInstance): void {
  app.route(
    command({
      id: 'products.create',
      summary: 'Create a product',
      method: 'POST',
      url: '/v1/products',
      status: 201,
      scope: 'products:write',
      idempotency: 'optional',
      body: CreateProduct,
      returns: Product,
      problems: [DuplicateSku, RepeatedEntry],
      location: ({ id }) => `/v1/products/${id}`,
      handle: (work, { body }) => createProduct(work, body),
    }),
  )
  app.route(
    command({
      id: 'products.upsertBatch',
      summary: 'Create or update products by SKU',
      description: 'Up to 1,000 products, all or nothing. Fields that are not given keep their value.',
      method: 'POST',
      url: '/v1/products/batch',
      status: 200,
      scope: 'products:write',
      idempotency: 'optional',
      body: UpsertProducts,
      returns: UpsertedProducts,
      problems: [RepeatedEntry],
      handle: (work, { body }) => upsertProductBatch(work, body),
    }),
  )
  app.route(
    list({
      id: 'products.list',
      summary: 'List products, newest first',
      url: '/v1/products',
      scope: 'products:read',
      filter: productFilter,
      item: Product,
      problems: [],
      handle: (view, { filter, page }) => listProducts(view, filter, page),
    }),
  )
  app.route(
    query({
      id: 'products.get',
      summary: 'Read a product',
      url: '/v1/products/:productId',
      scope: 'products:read',
      params: ProductParams,
      returns: Product,
      problems: [ProductNotFound],
      handle: (view, { params }) => getProduct(view, params.productId),
    }),
  )
}
