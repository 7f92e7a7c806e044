import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ApiError, type PlaceOrder, Purser } from '@purser/sdk'
import { pence } from '../services/api/src/start/demo/catalog.ts'
import { type InvoiceLine, readInvoices } from '../services/api/src/start/demo/invoices.ts'

const source = 'online-retail'
const concurrency = 16

/** What became of an invoice. */
interface Outcome {
  readonly kind: string
  readonly units: number
  readonly pence: number
}

/** `npm run demo`: places the real invoices of the demo data, each under its own number; running it again places none. */
const purser = new Purser(await readAccess())
const invoices = [...Map.groupBy(await readInvoices(), ({ invoiceNo }) => invoiceNo)]
const outcomes: Outcome[] = []
const startedAt = performance.now()
const waiting = invoices.values()
await Promise.all(Array.from({ length: concurrency }, placeWaiting))
report(outcomes, (performance.now() - startedAt) / 1_000)
if (outcomes.some(({ kind }) => kind.startsWith('failed'))) process.exitCode = 1

async function placeWaiting(): Promise<void> {
  for (const [invoiceNo, lines] of waiting) {
    outcomes.push(await placeInvoice(invoiceNo, lines))
    drawProgress(outcomes.length / invoices.length)
  }
}

async function placeInvoice(invoiceNo: string, lines: readonly InvoiceLine[]): Promise<Outcome> {
  const order: PlaceOrder = {
    source,
    externalId: invoiceNo,
    paymentTerms: 'onAccount',
    currency: 'GBP',
    lines: lines.map(({ sku, quantity, unitPrice }) => ({
      sku,
      quantity: Number(quantity),
      unitPrice: { amount: pence(unitPrice), currency: 'GBP' },
    })),
  }
  try {
    const { data, response } = await purser.orders
      .place(order, { idempotencyKey: `${source}-${invoiceNo}` })
      .withResponse()
    const units = data.lines.reduce((sum, line) => sum + line.quantity, 0)
    const kind = response.headers.get('idempotency-replayed') === 'true' ? 'replayed' : 'placed'
    return { kind, units, pence: data.totals.total.amount }
  } catch (error) {
    return { kind: reasonOf(error, invoiceNo, lines), units: 0, pence: 0 }
  }
}

/** The class of a refusal; an order that is there already under another key counts as replayed. */
function reasonOf(error: unknown, invoiceNo: string, lines: readonly InvoiceLine[]): string {
  if (ApiError.is(error, 'DUPLICATE_EXTERNAL_ID')) return 'replayed'
  if (!ApiError.is(error) || error.status >= 500)
    return `failed: ${error instanceof Error ? error.message : String(error)}`
  if (error.code !== 'VALIDATION_FAILED') return `refused: ${error.code}`
  if (invoiceNo.startsWith('C')) return 'refused: cancellation of goods sold earlier'
  return lines.some(({ quantity }) => Number(quantity) <= 0) ? 'refused: quantity not positive' : 'refused: not valid'
}

async function readAccess(): Promise<{ apiKey: string; baseUrl: string }> {
  const { PURSER_URL, PURSER_API_KEY, DATA_DIR } = process.env
  if (PURSER_URL && PURSER_API_KEY) return { apiKey: PURSER_API_KEY, baseUrl: PURSER_URL }
  const file = path.join(DATA_DIR || '.data', 'demo.json')
  const text = await readFile(file, 'utf8').catch(() => {
    process.stderr.write(`demo: set PURSER_URL and PURSER_API_KEY, or run npm start first (${file} is missing)\n`)
    process.exit(1)
  })
  const { url, apiKey } = JSON.parse(text) as { url: string; apiKey: string }
  return { apiKey, baseUrl: url }
}

function drawProgress(share: number): void {
  if (!process.stdout.isTTY) return
  const width = 40
  const done = Math.round(share * width)
  process.stdout.write(`\r[${'#'.repeat(done)}${' '.repeat(width - done)}] ${Math.round(share * 100)} %`)
  if (share === 1) process.stdout.write('\n')
}

function report(all: readonly Outcome[], seconds: number): void {
  const sum = (group: readonly Outcome[], of: (outcome: Outcome) => number) =>
    group.reduce((total, one) => total + of(one), 0)
  const row = (name: string, group: readonly Outcome[]) => {
    const pounds = (sum(group, ({ pence }) => pence) / 100).toLocaleString('en-GB', { minimumFractionDigits: 2 })
    const units = sum(group, (one) => one.units).toLocaleString('en-GB')
    return `${name.padEnd(46)}${String(group.length).padStart(9)}${units.padStart(12)}${`£${pounds}`.padStart(16)}\n`
  }
  process.stdout.write(`${''.padEnd(46)}${'invoices'.padStart(9)}${'units'.padStart(12)}${'total'.padStart(16)}\n`)
  const groups = Map.groupBy(all, ({ kind }) => kind)
  for (const kind of ['placed', 'replayed']) process.stdout.write(row(kind, groups.get(kind) ?? []))
  for (const [kind, group] of [...groups].sort())
    if (kind !== 'placed' && kind !== 'replayed') process.stdout.write(row(kind, group))
  process.stdout.write(`${all.length} invoices in ${seconds.toFixed(1)} s\n`)
}
