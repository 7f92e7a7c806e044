import t from 'tap'
import { demoCatalog, pence } from '../demo/catalog.ts'
import { parseCsv, readInvoices } from '../demo/invoices.ts'

t.test('every SKU of the invoices becomes a product', async (t) => {
  const invoices = await readInvoices()
  const products = demoCatalog(invoices)
  const bySku = new Map(products.map((product) => [product.sku, product]))
  t.equal(invoices.length, 25_883)
  t.equal(new Set(invoices.map(({ invoiceNo }) => invoiceNo)).size, 1_200)
  t.equal(bySku.size, 2_555)
  t.same(bySku.get('85123A'), {
    sku: '85123A',
    title: 'WHITE HANGING HEART T-LIGHT HOLDER',
    price: 295,
    stockPolicy: 'deny',
  })
  const untracked = products.filter(({ stockPolicy }) => stockPolicy === 'untracked').map(({ sku }) => sku)
  t.same(untracked, ['AMAZONFEE', 'BANK CHARGES', 'C2', 'D', 'DOT', 'M', 'POST', 'S'])
  t.equal(products.filter(({ price }) => price === 0).length, 29, 'never sold for money in these invoices')
  t.notOk(products.some(({ title }) => /^(\?|check|damages|amazon|faulty|Dotcom sales|)$/.test(title)))
  t.equal(bySku.get('21134')?.title, '21134', 'a SKU stands in for a title that is not recorded')
})

t.test('pounds become pence digit by digit', async (t) => {
  const cases: readonly [string, number][] = [
    ['2.55', 255],
    ['0.1', 10],
    ['8', 800],
    ['1.10', 110],
    ['4161.06', 416_106],
    ['0', 0],
  ]
  for (const [pounds, expected] of cases) t.equal(pence(pounds), expected, pounds)
  for (const wrong of ['', '1.234', '-1', '1e2', ' 1', '1,50', '.5']) t.throws(() => pence(wrong), wrong)
})

t.test('CSV with quotes, commas and line ends in fields', async (t) => {
  t.same(parseCsv('a,b\n1,"x, ""y""\nz"\r\n,\n'), [
    ['a', 'b'],
    ['1', 'x, "y"\nz'],
    ['', ''],
  ])
  t.throws(() => parseCsv('a,"b'), /not CSV/)
})
