import type { FastifyInstance } from 'fastify'
import { command } from '#http/command.ts'
import { list, query } from '#http/query.ts'
import { adjustStock } from './adjust-stock.ts'
import { checkAvailability } from './availability.ts'
import { createLocation, getLocation, listLocations } from './locations.ts'
import type { FillBackorders } from './movements.ts'
import {
  InsufficientOnHand,
  LocationNotFound,
  RepeatedLevel,
  StockLevelNotFound,
  StockLimitExceeded,
  UnknownStockItem,
} from './problems.ts'
import { getStockLevel, listLevelMovements, listMovements, listStockLevels } from './read-stock.ts'
import {
  AdjustStock,
  Availability,
  CheckAvailability,
  CreateLocation,
  Location,
  LocationParams,
  movementFilter,
  SetStockLevel,
  SetStockLevels,
  StockLevel,
  StockLevelParams,
  StockLevels,
  StockMovement,
  stockLevelFilter,
} from './schemas.ts'
import { setStockLevel, setStockLevels } from './set-stock.ts'

const keyOf = ({ sku, locationId }: { sku: string; locationId: string }) => ({ sku, location_id: locationId })

export function inventoryRoutes(app: FastifyInstance, fill: FillBackorders): void {
  app.route(
    command({
      id: 'locations.create',
      summary: 'Create a location',
      method: 'POST',
      url: '/v1/locations',
      status: 201,
      scope: 'stock:write',
      idempotency: 'optional',
      body: CreateLocation,
      returns: Location,
      problems: [],
      location: ({ id }) => `/v1/locations/${id}`,
      handle: (work, { body }) => createLocation(work, body),
    }),
  )
  app.route(
    list({
      id: 'locations.list',
      summary: 'List locations',
      url: '/v1/locations',
      scope: 'stock:read',
      filter: {},
      item: Location,
      problems: [],
      handle: (view, { page }) => listLocations(view, page),
    }),
  )
  app.route(
    query({
      id: 'locations.get',
      summary: 'Read a location',
      url: '/v1/locations/:locationId',
      scope: 'stock:read',
      params: LocationParams,
      returns: Location,
      problems: [LocationNotFound],
      handle: (view, { params }) => getLocation(view, params.locationId),
    }),
  )

  app.route(
    list({
      id: 'stock.listLevels',
      summary: 'List stock levels by SKU',
      url: '/v1/stock',
      scope: 'stock:read',
      filter: stockLevelFilter,
      item: StockLevel,
      problems: [],
      handle: (view, { filter, page }) => listStockLevels(view, filter, page),
    }),
  )
  app.route(
    query({
      id: 'stock.getLevel',
      summary: 'Read a stock level',
      url: '/v1/stock/:sku/:locationId',
      scope: 'stock:read',
      params: StockLevelParams,
      returns: StockLevel,
      problems: [StockLevelNotFound],
      handle: (view, { params }) => getStockLevel(view, keyOf(params)),
    }),
  )
  app.route(
    command({
      id: 'stock.setLevel',
      summary: 'Set a stock level',
      description: 'Sets what was counted. If-Match is needed once the level exists.',
      method: 'PUT',
      url: '/v1/stock/:sku/:locationId',
      status: 200,
      scope: 'stock:write',
      idempotency: 'optional',
      ifMatch: 'conditional',
      params: StockLevelParams,
      body: SetStockLevel,
      returns: StockLevel,
      problems: [UnknownStockItem],
      handle: (work, { params, body, expected }) => setStockLevel(work, params, body, expected, fill),
    }),
  )
  app.route(
    command({
      id: 'stock.adjustLevel',
      summary: 'Adjust a stock level',
      description:
        'Adds to what is on hand, or takes from it. A change of 0 writes nothing: no movement, no event, no version.',
      method: 'POST',
      url: '/v1/stock/:sku/:locationId/adjust',
      status: 200,
      scope: 'stock:write',
      idempotency: 'required',
      ifMatch: 'optional',
      params: StockLevelParams,
      body: AdjustStock,
      returns: StockLevel,
      problems: [StockLevelNotFound, InsufficientOnHand, StockLimitExceeded],
      handle: (work, { params, body, expected }) => adjustStock(work, keyOf(params), body, expected, fill),
    }),
  )
  app.route(
    command({
      id: 'stock.setBatch',
      summary: 'Set many stock levels',
      description: 'Up to 1,000 levels, all or nothing; levels that do not exist are made.',
      method: 'POST',
      url: '/v1/stock/batch',
      status: 200,
      scope: 'stock:write',
      idempotency: 'required',
      body: SetStockLevels,
      returns: StockLevels,
      problems: [UnknownStockItem, RepeatedLevel],
      handle: (work, { body }) => setStockLevels(work, body, fill),
    }),
  )
  app.route(
    list({
      id: 'stock.listMovements',
      summary: 'List the movements of a stock level, newest first',
      url: '/v1/stock/:sku/:locationId/movements',
      scope: 'stock:read',
      params: StockLevelParams,
      filter: {},
      item: StockMovement,
      problems: [StockLevelNotFound],
      handle: (view, { params, page }) => listLevelMovements(view, keyOf(params), page),
    }),
  )
  app.route(
    list({
      id: 'stock.listAllMovements',
      summary: 'List stock movements, newest first',
      url: '/v1/stock/movements',
      scope: 'stock:read',
      filter: movementFilter,
      item: StockMovement,
      problems: [],
      handle: (view, { filter, page }) => listMovements(view, filter, page),
    }),
  )
  app.route(
    query({
      id: 'stock.availability',
      summary: 'Read what is available of many SKUs',
      description: 'Up to 500 SKUs, over all locations or at one.',
      method: 'POST',
      url: '/v1/stock/availability',
      scope: 'stock:read',
      body: CheckAvailability,
      returns: Availability,
      problems: [],
      handle: (view, { body }) => checkAvailability(view, body),
    }),
  )
}
