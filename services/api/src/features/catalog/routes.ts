import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { createProduct } from './create-product.ts'
import { DuplicateSku, ProductArchived, ProductNotFound, RepeatedEntry } from './problems.ts'
import { getProduct, listProducts } from './read-products.ts'
import {
  CreateProduct,
  Product,
  ProductParams,
  productFilter,
  UpdateProduct,
  UpsertedProducts,
  UpsertProducts,
} from './schemas.ts'
import { archiveProduct, changeProduct } from './update-product.ts'
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
  app.route(
    command({
      id: 'products.update',
      summary: 'Change a product',
      description:
        'Fields that are not given stay. The status decides whether it is for sale: only active products are.',
      method: 'PATCH',
      url: '/v1/products/:productId',
      status: 200,
      scope: 'products:write',
      idempotency: 'optional',
      ifMatch: 'required',
      params: ProductParams,
      body: UpdateProduct,
      returns: Product,
      problems: [ProductNotFound, RepeatedEntry],
      handle: (work, { params, body, expected }) => changeProduct(work, params.productId, body, expected),
    }),
  )
  app.route(
    command({
      id: 'products.archive',
      summary: 'Archive a product',
      description: 'Takes it off sale for good; its orders and its stock stay. Setting its status brings it back.',
      method: 'POST',
      url: '/v1/products/:productId/archive',
      status: 200,
      scope: 'products:write',
      idempotency: 'optional',
      ifMatch: 'optional',
      params: ProductParams,
      returns: Product,
      problems: [ProductNotFound, ProductArchived],
      handle: (work, { params, expected }) => archiveProduct(work, params.productId, expected),
    }),
  )
}
