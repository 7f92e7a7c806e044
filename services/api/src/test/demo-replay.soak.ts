import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { demoCatalog } from '../start/demo/catalog.ts'
import { readInvoices } from '../start/demo/invoices.ts'
import { harness } from './harness.ts'
import { freePort, startServer } from './server-process.ts'

const demo = fileURLToPath(new URL('../../../../scripts/demo.ts', import.meta.url))
const unitsInStock = 1_000_000

t.test('the demo places each real invoice once, and refuses the rest in named classes', async (t) => {
  const { tenant, db, databaseUrl } = await harness(t)
  const products = demoCatalog(await readInvoices())
  for (let start = 0; start < products.length; start += 500)
    await tenant.stock(products.slice(start, start + 500).map((product) => ({ ...product, onHand: unitsInStock })))
  const { url } = await startServer(t, databaseUrl, await freePort())
  const run = async () => {
    const env = { ...process.env, PURSER_URL: url, PURSER_API_KEY: tenant.key }
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=purser-source', demo], { env })
    return stdout
  }
  const first = await run()
  t.match(first, /placed +985 +208,251 +£505,932\.10/)
  t.match(first, /cancellation of goods sold earlier +148 /)
  t.match(first, /quantity not positive +67 /)
  t.match(await run(), /placed +0 [\s\S]*replayed +985 +208,251 +£505,932\.10/)
  const { rows } = await db.query(`select s.sku from stock_levels s
    left join (select sku, sum(quantity) as sold from order_lines where tracked group by sku) l using (sku)
    where s.on_hand - s.reserved <> ${unitsInStock} - coalesce(l.sold, 0)`)
  t.same(rows, [], 'stock = initial − Σ units, for every SKU')
})
