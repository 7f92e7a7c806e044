import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import type { Catalog } from './catalog.ts'
import { query, versionOf, withClient } from './cluster.ts'
import { run } from './processes.ts'

const debianFolder = '/usr/lib/postgresql'

interface Order {
  readonly id: string
  readonly number: string
  readonly createdAt: string
  readonly totals: { readonly total: { readonly amount: number } }
  readonly lines: readonly { readonly id: string; readonly sku: string; readonly title: string }[]
}

/** Creates bench.place_order on the model of an order that the API has placed. */
export async function createLimit(url: string, orderId: string): Promise<void> {
  const variables = await variablesOf(url, orderId)
  const text = await readFile(new URL('limit.sql', import.meta.url), 'utf8')
  const filled = text.replace(/:'(\w+)'/g, (_match, name: string) => {
    const value = variables[name]
    if (value === undefined && name !== 'names') throw new Error(`limit.sql asks for ${name}`)
    return pg.escapeLiteral(value ?? '')
  })
  await query(url, filled)
}

async function variablesOf(url: string, orderId: string): Promise<Readonly<Record<string, string>>> {
  return withClient(url, async (client) => {
    const one = async <R extends pg.QueryResultRow>(text: string) => (await client.query<R>(text, [orderId])).rows
    const [order] = await one<{ organization_id: string; location_id: string }>('select * from orders where id = $1')
    const [answer] = await one<{ principal_id: string; data: string }>(
      `select principal_id, data from idempotency_keys where location = '/v1/orders/' || $1`,
    )
    const [movement] = await one<{ actor: object }>('select actor from stock_movements where order_id = $1')
    const [placed, confirmed] = await one<{ actor: object; data: Order }>(
      'select actor, data from ledger where resource_id = $1 order by resource_version',
    )
    if (!order || !answer || !movement || !placed || !confirmed)
      throw new Error(`order ${orderId} has not all its rows`)
    const parsed = JSON.parse(answer.data) as Order
    if (JSON.stringify(parsed) !== answer.data) throw new Error('the stored answer is not what JSON.stringify writes')
    return {
      organization: order.organization_id,
      location: order.location_id,
      principal: answer.principal_id,
      movement_actor: JSON.stringify(movement.actor),
      ledger_actor: JSON.stringify(placed.actor),
      placed: templateOf(placed.data),
      confirmed: templateOf(confirmed.data),
      answer: templateOf(parsed),
    }
  })
}

/** Which value of `filling` in limit.sql stands where in a line: id, SKU, title, unit price, total. */
const lineArguments = [
  [5, 6, 7, 8, 8],
  [9, 10, 11, 12, 13],
  [14, 15, 16, 17, 18],
] as const

/** The JSON of an order with a place for everything that differs from order to order. */
function templateOf(order: Order): string {
  const text = JSON.stringify(order, (key, value: unknown) => {
    if (key === 'lines') return (value as Order['lines']).map(lineTemplate)
    if (value === order.id) return '{{1}}'
    if (value === order.number) return '{{2}}'
    if (value === order.createdAt) return '{{3}}'
    return key === 'amount' && value === order.totals.total.amount ? '{{json 4}}' : value
  })
  return text
    .replaceAll('%', '%%')
    .replace(/"\{\{json (\d+)\}\}"/g, '%$1$$s')
    .replace(/\{\{(\d+)\}\}/g, '%$1$$s')
}

function lineTemplate(line: object, position: number): object {
  const [id, sku, title, price, total] = lineArguments[position] ?? []
  return {
    ...line,
    id: `{{${id}}}`,
    sku: `{{json ${sku}}}`,
    title: `{{json ${title}}}`,
    unitPrice: { amount: `{{json ${price}}}`, currency: 'GBP' },
    total: { amount: `{{json ${total}}}`, currency: 'GBP' },
  }
}

export interface LimitPhase {
  readonly perSecond: number
  readonly averageMs: number
  readonly done: number
}

export interface Pgbench {
  readonly version: string
  run(url: string, clients: number, seconds: number): Promise<LimitPhase>
}

async function newestPgbench(): Promise<{ program: string; version: string }> {
  const folders = (await readdir(debianFolder).catch(() => [])).sort((a, b) => Number(b) - Number(a))
  for (const program of [...folders.map((name) => path.join(debianFolder, name, 'bin/pgbench')), 'pgbench']) {
    const version = await versionOf(program, '--version')
    if (version !== null) return { program, version }
  }
  throw new Error(`the limit needs pgbench, of any version: apt-get install postgresql-contrib`)
}

/** Stock pgbench from the PATH or from Debian's folders; it calls the function for three random SKUs. */
export async function findPgbench(catalog: Catalog, scratch: string, signal: AbortSignal): Promise<Pgbench> {
  const { program, version } = await newestPgbench()
  const script = path.join(scratch, 'place-order.pgbench')
  const third = catalog.third
  const draw = ['a', 'b', 'c'].map((name, at) => `\\set ${name} random(${at * third}, ${(at + 1) * third - 1})`)
  await writeFile(script, `${draw.join('\n')}\nselect bench.place_order(:a, :b, :c);\n`)
  return {
    version,
    async run(url, clients, seconds) {
      const { username, password, hostname, port, pathname } = new URL(url)
      const place = ['-h', hostname, '-p', port, '-U', username, pathname.slice(1)]
      const load = ['-M', 'prepared', '-n', '-c', String(clients), '-j', clients > 1 ? '2' : '1', '-T', String(seconds)]
      const env = { PGPASSWORD: decodeURIComponent(password) }
      const said = await run(program, [...load, '-f', script, ...place], {
        env,
        timeoutMs: seconds * 1_000 + 30_000,
        signal,
      })
      return readPgbench(said)
    },
  }
}

function readPgbench(said: string): LimitPhase {
  const read = (pattern: RegExp): number => {
    const value = Number(pattern.exec(said)?.[1] ?? Number.NaN)
    if (Number.isNaN(value)) throw new Error(`cannot read what pgbench says: ${said}`)
    return value
  }
  if (read(/number of failed transactions: (\d+)/) > 0) throw new Error(`pgbench had failures: ${said}`)
  return {
    perSecond: read(/^tps = ([\d.]+)/m),
    averageMs: read(/^latency average = ([\d.]+) ms/m),
    done: read(/number of transactions actually processed: (\d+)/),
  }
}
