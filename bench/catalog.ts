import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { query } from './cluster.ts'

/** What is ordered: three SKUs that differ, because each is drawn from a third of its own. */
export interface Catalog {
  /** In the order of SKUs, as many as three thirds hold. */
  readonly skus: readonly string[]
  readonly third: number
  /** One JSON string a line, for the load generators. */
  readonly file: string
}

/** What can be ordered, as bench.skus will number it. */
export async function readCatalog(url: string, scratch: string): Promise<Catalog> {
  const rows = await query<{ sku: string }>(
    url,
    `select sku from products
     where stock_policy = 'deny' and status = 'active' and (prices ->> 'GBP')::bigint > 0 order by sku`,
  )
  const third = Math.floor(rows.length / 3)
  const skus = rows.slice(0, third * 3).map(({ sku }) => sku)
  const file = path.join(scratch, 'skus.txt')
  await writeFile(file, `${skus.map((sku) => JSON.stringify(sku)).join('\n')}\n`)
  return { skus, third, file }
}

/** The order every measurement places, for three numbers of the catalog. */
export const orderOf = ({ skus }: Catalog, numbers: readonly number[]) => ({
  paymentTerms: 'onAccount',
  lines: numbers.map((number, position) => ({ sku: skus[number] ?? '', quantity: position + 1 })),
})
