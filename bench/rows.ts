import { isDeepStrictEqual } from 'node:util'
import type pg from 'pg'
import { withClient } from './cluster.ts'

type Row = Readonly<Record<string, unknown>>
type Rows = Readonly<Record<string, readonly Row[]>>

/** Every row an order writes, by table; `$1` is the order's id. */
const tables = {
  orders: 'where t.id = $1',
  order_lines: 'where t.order_id = $1 order by t.position',
  reservations: 'where t.order_id = $1 order by t.sku',
  stock_movements: 'where t.order_id = $1 order by t.sku',
  ledger: 'where t.resource_id = $1 order by t.resource_version',
  idempotency_keys: `where t.location = '/v1/orders/' || $1`,
} as const

/** Stored sizes may differ by what compression makes of random characters. */
const sizeTolerance = 0.05

/**
 * Compares the rows of an order of the API with those of the limit, column by column: what is random or a time must
 * look alike and stand in the same places, everything else must be equal, and so must what happened to the stock.
 * @throws Error naming the columns that differ.
 */
export function compareRows(
  url: string,
  placeByApi: () => Promise<string>,
  placeByLimit: () => Promise<string>,
): Promise<string> {
  return withClient(url, async (client) => {
    const fromApi = await placeAndRead(client, placeByApi)
    const fromLimit = await placeAndRead(client, placeByLimit)
    const problems = Object.keys(fromApi).flatMap((table) => differences(table, fromApi, fromLimit))
    if (problems.length > 0)
      throw new Error(`bench/limit.sql does not write the rows of the API: ${problems.slice(0, 10).join('; ')}`)
    const rows = Object.values(fromApi).flat()
    const columns = new Set(
      Object.entries(fromApi).flatMap(([table, [row]]) => Object.keys(row ?? {}).map((c) => `${table} ${c}`)),
    )
    return `${rows.length} rows of ${Object.keys(fromApi).length} tables, ${columns.size} columns`
  })
}

async function placeAndRead(client: pg.Client, place: () => Promise<string>): Promise<Rows> {
  const before = await readLevels(client)
  const orderId = await place()
  const after = await readLevels(client)
  const alias = createAliases()
  const read = async (table: string, clause: string): Promise<readonly Row[]> => {
    const text = `select row_to_json(t) as row, pg_column_size(t.*) as size from ${table} t ${clause}`
    const { rows } = await client.query<{ row: Row; size: number }>(text, [orderId])
    return rows.map(({ row, size }) => ({ ...normalized(table, row, alias), size }))
  }
  const found: Record<string, readonly Row[]> = { stock_levels: changesOf(before, after) }
  for (const [table, clause] of Object.entries(tables)) found[table] = await read(table, clause)
  return found
}

async function readLevels(client: pg.Client): Promise<ReadonlyMap<string, Row>> {
  const { rows } = await client.query<{ row: Row }>('select row_to_json(t) as row from stock_levels t')
  return new Map(rows.map(({ row }) => [`${row.sku} ${row.location_id}`, row]))
}

/** The levels that an order touched: what stayed as it is, and what numbers went up by. */
function changesOf(before: ReadonlyMap<string, Row>, after: ReadonlyMap<string, Row>): readonly Row[] {
  return [...after].flatMap(([key, row]) => {
    const old = before.get(key) ?? {}
    if (isDeepStrictEqual(row, old)) return []
    return [{ ...row, reserved: Number(row.reserved) - Number(old.reserved) }]
  })
}

function normalized(table: string, row: Row, alias: (text: string) => string): Row {
  const entries = Object.entries(row).map(([column, value]): [string, unknown] => {
    if (column === 'xid') return [column, typeof value]
    // Each order leads to a higher level than the one before.
    if (table === 'stock_movements' && column === 'reserved') return [column, typeof value]
    const parsed = table === 'idempotency_keys' && column === 'data' ? JSON.parse(String(value)) : value
    return [column, JSON.parse(JSON.stringify(parsed), (_key, leaf) => (typeof leaf === 'string' ? alias(leaf) : leaf))]
  })
  return Object.fromEntries(entries)
}

const patterns: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'time as text'],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?\+00:00$/, 'time'],
  [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'key'],
  [/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, 'traceparent'],
  [/^\d{8}-[0-9A-Z]{8}$/, 'number'],
  [/^[A-Za-z0-9_-]{43}$/, 'fingerprint'],
  [/^"(\d+)\.[0-9a-f]{6}"$/, 'etag of version $1'],
]

/** Names what is random by its kind, and ids also by when they were first seen, so that references stay visible. */
function createAliases(): (text: string) => string {
  const names = new Map<string, string>()
  return (text) => {
    const [pattern, name] = patterns.find(([candidate]) => candidate.test(text)) ?? []
    if (pattern !== undefined && name !== undefined) return text.replace(pattern, name)
    return text.replace(/\b([a-z]{3})_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, (id, prefix: string) => {
      const known = names.get(id) ?? `${prefix} ${names.size + 1}`
      names.set(id, known)
      return known
    })
  }
}

function differences(table: string, api: Rows, limit: Rows): string[] {
  const [ours, theirs] = [api[table] ?? [], limit[table] ?? []]
  if (ours.length !== theirs.length || ours.length === 0)
    return [`${table}: ${ours.length} rows by the API, ${theirs.length} by the limit`]
  return ours.flatMap((row, index) => {
    const other = theirs[index] ?? {}
    const columns = new Set([...Object.keys(row), ...Object.keys(other)])
    return [...columns]
      .filter((column) => !(column === 'size' ? isAbout(row.size, other.size) : isSame(row[column], other[column])))
      .map(
        (column) =>
          `${table}.${column}: ${JSON.stringify(row[column])} by the API, ${JSON.stringify(other[column])} by the limit`,
      )
  })
}

/** As text, so that the order of keys counts too. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const isAbout = (a: unknown, b: unknown): boolean =>
  Math.abs(Number(a) - Number(b)) <= sizeTolerance * Math.max(Number(a), Number(b))
