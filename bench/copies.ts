import { query, withClient } from './cluster.ts'

/** Letters that the random part of the ids of bench.place_order, which is hexadecimal, never holds. */
const letters = 'ghjkmnpqrstvwxyz'
const tagPosition = 22
const sessions = 2

const tagged = (column: string): string => `overlay(${column} placing $1 from ${tagPosition} for 2)`

/** How a copy differs from the order it was made of: in every id, and in nothing else. */
const changes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  orders: { id: tagged('id'), number: 'left(number, -2) || $1' },
  order_lines: { id: tagged('id'), order_id: tagged('order_id') },
  reservations: { id: tagged('id'), order_id: tagged('order_id') },
  stock_movements: { id: tagged('id'), order_id: tagged('order_id') },
  ledger: { id: tagged('id'), resource_id: tagged('resource_id') },
  idempotency_keys: { key: 'left(key, -2) || $1', location: `'/v1/orders/' || ${tagged('substr(location, 12)')}` },
}
/** Rows of orders that bench.place_order placed. */
const origins: Readonly<Record<string, string>> = {
  orders: 'id',
  order_lines: 'order_id',
  reservations: 'order_id',
  stock_movements: 'order_id',
  ledger: `case when left(resource_id, 4) = 'ord_' then resource_id end`,
  idempotency_keys: 'substr(location, 12)',
}

/** Stores `times` copies of every order that bench.place_order has placed: the same rows ten times as fast. */
export async function copyOrders(url: string, times: number): Promise<void> {
  if (times > letters.length ** 2) throw new Error(`${times} copies need more than two letters`)
  const statements = await Promise.all(Object.keys(changes).map((table) => statementsOf(url, table)))
  const tags = Array.from({ length: times }, (_, n) => `${letters[Math.floor(n / 16)]}${letters[n % 16]}`)
  const copyShare = (session: number) =>
    withClient(url, async (client) => {
      // References need no check: what the copies refer to is copied as well.
      await client.query('set synchronous_commit = off; set session_replication_role = replica')
      for (const { keep } of statements) await client.query(keep)
      for (const tag of tags.filter((_, n) => n % sessions === session))
        for (const { copy } of statements) await client.query(copy, [tag])
    })
  await Promise.all(Array.from({ length: sessions }, (_, session) => copyShare(session)))
  await query(url, countStockText)
  await withClient(url, async (client) => {
    await client.query('vacuum (analyze)')
    await client.query('checkpoint')
  })
}

interface Statements {
  /** Sets the rows aside that are copied, so that copies are not looked through again and again. */
  readonly keep: string
  readonly copy: string
}

async function statementsOf(url: string, table: string): Promise<Statements> {
  const columns = await query<{ name: string }>(
    url,
    `select attname as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  )
  const names = columns.map(({ name }) => name)
  const values = names.map((name) => changes[table]?.[name] ?? name)
  const originals = `${origins[table]} ~ '^ord_[0-9a-hjkmnp-tv-z]{10}[0-9a-f]{14}00$'`
  return {
    keep: `create temp table original_${table} as select ${names.join(', ')} from ${table} where ${originals}`,
    copy: `insert into ${table} (${names.join(', ')}) select ${values.join(', ')} from original_${table}`,
  }
}

const countStockText = `update stock_levels s set reserved = r.units
  from (select sku, location_id, sum(quantity) as units from reservations where state = 'firm' group by 1, 2) r
  where s.sku = r.sku and s.location_id = r.location_id`
