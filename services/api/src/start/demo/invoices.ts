import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

const file = new URL('online-retail.csv.gz', import.meta.url)

/** One line of an invoice, as recorded; numbers stay text. */
export interface InvoiceLine {
  readonly invoiceNo: string
  readonly sku: string
  readonly description: string
  readonly quantity: string
  readonly unitPrice: string
  readonly customerId: string
  readonly country: string
}

/** Reads the invoices of the demo data set. */
export async function readInvoices(): Promise<readonly InvoiceLine[]> {
  const csv = (await promisify(gunzip)(await readFile(file))).toString('utf8')
  const [, ...records] = parseCsv(csv)
  return records.map(([invoiceNo = '', sku = '', description = '', quantity = '', unitPrice = '', ...rest]) => {
    const [customerId = '', country = ''] = rest
    return { invoiceNo, sku, description, quantity, unitPrice, customerId, country }
  })
}

/** RFC 4180: fields in quotes may hold commas, line ends and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  while (field.lastIndex < text.length) {
    const at = field.lastIndex
    const match = field.exec(text)
    if (match === null) throw new Error(`not CSV at character ${at}`)
    record.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'))
    if (match[3] === ',') continue
    records.push(record)
    record = []
  }
  return records
}
