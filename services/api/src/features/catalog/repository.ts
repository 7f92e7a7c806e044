import { type Selectable, sql } from 'kysely'
import { runSql } from '#platform/database.ts'
import { RunAgain, violates } from '#platform/database-errors.ts'
import { newestFirst, type PageRequest, selectPage, selectPageAmong } from '#platform/page.ts'
import type { Products } from '#platform/tables.gen.ts'
import type { View, Work } from '#platform/work.ts'
import { DuplicateSku } from './problems.ts'

export type ProductRow = Omit<Selectable<Products>, 'organization_id' | 'images'>

const columns = [
  'id',
  'sku',
  'title',
  'description',
  'status',
  'stock_policy',
  'prices',
  'attributes',
  'metadata',
  'version',
  'created_at',
  'updated_at',
] as const

export async function insertProduct(work: Work, row: ProductRow): Promise<void> {
  try {
    await work.db.insertInto('products').values(row).execute()
  } catch (error) {
    throw violates(error, 'products_sku_key')
      ? new DuplicateSku({ detail: `SKU ${row.sku} exists already`, cause: error })
      : error
  }
}

/**
 * Inserts the products or, where the SKU exists, takes over their fields; returns id and version of each.
 * @throws RunAgain when a product was created meanwhile: what it holds has to be merged first.
 */
export async function upsertProducts(work: Work, rows: readonly ProductRow[]) {
  type Upserted = Pick<ProductRow, 'sku' | 'id' | 'version'>
  const upserted = await runSql<Upserted>(work.db, upsertText, [JSON.stringify(rows)])
  const known = new Set(rows.map(({ id }) => id))
  if (upserted.some(({ id }) => !known.has(id))) throw new RunAgain('a product was created at the same moment')
  return upserted
}

const columnList = columns.join(', ')
const upsertText = `insert into products (${columnList})
  select ${columnList} from json_populate_recordset(null::products, $1::json) order by sku
  on conflict (organization_id, sku) do update set title = excluded.title, description = excluded.description,
    status = excluded.status, stock_policy = excluded.stock_policy, prices = excluded.prices,
    attributes = excluded.attributes, metadata = excluded.metadata, version = products.version + 1,
    updated_at = excluded.updated_at
  returning sku, id, version`

/** Locks what exists of these SKUs, in the order of SKUs. */
export const lockProducts = (work: Work, skus: readonly string[]): Promise<ProductRow[]> =>
  work.db
    .selectFrom('products')
    .select(columns)
    .where('sku', '=', sql<string>`any(${skus})`)
    .orderBy('sku')
    .forUpdate()
    .execute()

export const lockProduct = (work: Work, id: string): Promise<ProductRow | undefined> =>
  work.db.selectFrom('products').select(columns).where('id', '=', id).forNoKeyUpdate().executeTakeFirst()

/** Writes a product that is locked. */
export async function updateProduct(work: Work, { id, sku: _sku, created_at: _createdAt, ...row }: ProductRow) {
  await work.db.updateTable('products').set(row).where('id', '=', id).execute()
}

export const selectProduct = (view: View, id: string): Promise<ProductRow | undefined> =>
  view.db.selectFrom('products').select(columns).where('id', '=', id).executeTakeFirst()

export interface ProductFilter {
  readonly q?: string
  readonly sku?: string
  readonly status?: readonly string[]
}

/** Newest first. */
export function selectProducts(view: View, filter: ProductFilter, page: PageRequest): Promise<ProductRow[]> {
  let rows = view.db.selectFrom('products').select(columns)
  if (filter.sku !== undefined) rows = rows.where('sku', '=', filter.sku)
  if (filter.q !== undefined) rows = rows.where('id', 'in', searched(filter, page))
  if (filter.status === undefined) return selectPage(rows, newestFirst, page).execute()
  return selectPageAmong(view.db, rows, { column: 'status', values: filter.status }, newestFirst, page)
}

/** Ids of the products on this page of a search; a SKU that is asked for by name is one product at most. */
const searched = ({ q, sku, status }: ProductFilter, { position, direction, limit }: PageRequest) =>
  sku === undefined
    ? sql<string>`(select search_products(${q}, ${status ?? null}, ${position?.[0] ?? null}, ${direction === 'forward'}, ${limit + 1}))`
    : sql<string>`(select p.id from products p where p.sku = ${sku}
        and (starts_with(p.sku, ${q}) or strpos(lower(p.title), lower(${q})) > 0))`

/** What placing an order needs to know of a product. */
export type ProductForSale = Pick<ProductRow, 'sku' | 'title' | 'status' | 'stock_policy'> & {
  readonly prices: Readonly<Record<string, number>>
}

export const selectProductsForSale = (view: Pick<View, 'db'>, skus: readonly string[]): Promise<ProductForSale[]> =>
  runSql(view.db, forSaleText, [skus])

// One look-up by key for each: of a list of SKUs the planner makes a scan of the tenant while the table is unanalyzed.
const forSaleText = `select p.* from unnest($1::text[]) w (sku) cross join lateral (
    select sku, title, status, stock_policy, prices from products
    where organization_id = current_setting('app.organization_id') and sku = w.sku limit 1
  ) p`
