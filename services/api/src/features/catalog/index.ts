export { type ProductForSale, selectProductsForSale } from './repository.ts'
export { catalogRoutes } from './routes.ts'
export { upsertProductBatch } from './upsert-products.ts'
