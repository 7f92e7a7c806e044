export { type ProductForSale, selectProductsForSale } from './repository.ts'
export { catalogRoutes } from './routes.ts'
export { Product, stockPolicies } from './schemas.ts'
export { upsertProductBatch } from './upsert-products.ts'
